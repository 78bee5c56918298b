#include "db/verify.hpp"

#include "base/progress.hpp"
#include "db/archive.hpp"
#include "db/databases.hpp"
#include "db/dump.hpp"
#include "db/shelf.hpp"
#include "db/tables.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

std::uint64_t size_of_dump(const Manifest& manifest) {
    const auto part = std::ranges::find(manifest.parts, kDumpPart, &PartFacts::name);
    return part == manifest.parts.end() ? 0 : part->bytes;
}

/// Fills an empty database from the backup, and says how far it is.
Result<void> put_back(const Paths& paths, const DatabaseServer& server, int version, const Manifest& manifest,
                      const std::string& name, const std::string& database) {
    COMMENTO_ASSIGN(ArchiveReader reader, ArchiveReader::open(file_of_backup(paths, name)));
    COMMENTO_CHECK(reader.find(kDumpPart));
    Progress progress(fmt::format("putting back {}", name));
    std::uint64_t read = 0;
    const auto next = [&]() -> Result<std::string_view> {
        COMMENTO_ASSIGN(const std::string_view piece, reader.read());
        progress.show(size_of_dump(manifest), read += piece.size());
        return piece;
    };
    return put_back(server, version, database, next);
}

Result<void> compare(const DatabaseServer& server, const Manifest& manifest, const std::string& name,
                     const std::string& database) {
    COMMENTO_ASSIGN(Postgres filled, Postgres::connect(server, server.backup_role, database));
    COMMENTO_ASSIGN(const auto tables, facts_of_tables(filled));
    const std::string difference = differences(manifest.tables, tables);
    if (difference.empty())
        return {};
    return fail(ErrorCode::backup,
                fmt::format("backup {} does not give back what it was made from:\n{}", name, difference),
                "make a new one: commentoctl backup now");
}

} // namespace

Result<void> put_back_and_compare(const Paths& paths, const Settings& settings, const std::string& name,
                                  const std::string& database) {
    const DatabaseServer server = database_server(paths, settings);
    COMMENTO_ASSIGN(const Manifest manifest, manifest_of(paths, name));
    COMMENTO_CHECK(check_parts(file_of_backup(paths, name), manifest.parts));
    COMMENTO_ASSIGN(Postgres connection, connect_for_backups(paths, settings));
    COMMENTO_CHECK(remake(connection, server, database));
    COMMENTO_CHECK(put_back(paths, server, connection.major_version(), manifest, name, database));
    return compare(server, manifest, name, database);
}

Result<void> verify_backup(const Paths& paths, const Settings& settings, const std::string& name) {
    const std::string scratch = scratch_of(database_server(paths, settings));
    auto compared = put_back_and_compare(paths, settings, name, scratch);
    const auto dropped =
        connect_for_backups(paths, settings).and_then([&](Postgres connection) { return drop(connection, scratch); });
    COMMENTO_CHECK(std::move(compared));
    COMMENTO_CHECK(dropped);
    COMMENTO_CHECK(mark_verified(paths, name));
    spdlog::info("backup {} is whole, and gives back what it was made from", name);
    return {};
}

} // namespace commento
