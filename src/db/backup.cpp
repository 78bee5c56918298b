#include "db/backup.hpp"

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/program.hpp"
#include "db/dump.hpp"
#include "db/host_files.hpp"
#include "db/retention.hpp"
#include "db/shelf.hpp"
#include "db/tables.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <future>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

/// The tables as one transaction sees them, and the dump of just that, at the same time.
Result<std::vector<TableFacts>> dump_as_one_sees_it(const DatabaseServer& server, Postgres& database,
                                                    ArchiveWriter& archive, std::vector<PartFacts>& parts) {
    COMMENTO_CHECK(database.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
    COMMENTO_ASSIGN(const auto snapshot, database.query("SELECT pg_export_snapshot()"));
    COMMENTO_CHECK(archive.begin(kDumpPart));
    auto tables = std::async(std::launch::async, [&] { return facts_of_tables(database); });
    const auto dumped = dump(server, database.major_version(), snapshot.at(0).at(0), archive);
    auto facts = tables.get();
    if (!facts) // then the dump may have failed because of that
        return facts;
    COMMENTO_CHECK(dumped);
    COMMENTO_ASSIGN(PartFacts part, archive.end());
    parts.push_back(std::move(part));
    return facts;
}

Result<Manifest> fill(const Paths& paths, const Settings& settings, ArchiveWriter& archive) {
    const DatabaseServer server = database_server(paths, settings);
    COMMENTO_ASSIGN(Postgres database, Postgres::connect(server, server.backup_role, server.database));
    COMMENTO_ASSIGN(const auto version, database.query("SHOW server_version"));
    Manifest manifest{.made = utc_time(now()),
                      .reason = {},
                      .domain = settings.text("DOMAIN"),
                      .postgresql = version.at(0).at(0),
                      .application = fs::path(link_target(paths.app_current())).filename(),
                      .stack = std::string(stack_version()),
                      .parts = {},
                      .tables = {}};
    COMMENTO_ASSIGN(manifest.tables, dump_as_one_sees_it(server, database, archive, manifest.parts));
    COMMENTO_ASSIGN(PartFacts host, add_host_files(paths, settings, archive));
    manifest.parts.push_back(std::move(host));
    return manifest;
}

Result<void> write_archive(const Paths& paths, const Settings& settings, const std::string& reason,
                           const fs::path& file) {
    COMMENTO_ASSIGN(ArchiveWriter archive, ArchiveWriter::create(file));
    COMMENTO_ASSIGN(Manifest manifest, fill(paths, settings, archive));
    manifest.reason = reason;
    COMMENTO_CHECK(archive.begin(kManifestPart));
    COMMENTO_CHECK(archive.write(to_json(manifest)));
    COMMENTO_CHECK(archive.end());
    return archive.finish();
}

Result<void> rename_durably(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0)
        return fail_errno(ErrorCode::storage, fmt::format("cannot rename {}", from.string()), errno);
    return sync_folder(to.parent_path());
}

/// Two within one second take the next one's name.
std::string new_name(const Paths& paths) {
    std::int64_t moment = now();
    while (fs::exists(file_of_backup(paths, backup_name(moment))))
        ++moment;
    return backup_name(moment);
}

} // namespace

Result<std::string> make_backup(const Paths& paths, const Settings& settings, const std::string& reason) {
    remove_unfinished(paths);
    const std::string name = new_name(paths);
    const fs::path file = file_of_backup(paths, name);
    const fs::path unfinished = unfinished_backup(paths, name);
    auto done =
        write_archive(paths, settings, reason, unfinished).and_then([&] { return rename_durably(unfinished, file); });
    if (!done) {
        std::error_code ignored;
        fs::remove(unfinished, ignored);
        return tl::unexpected(std::move(done).error());
    }
    spdlog::info("made backup {}: {:.1f} MiB", name, static_cast<double>(fs::file_size(file)) / (1U << 20U));
    return name;
}

} // namespace commento
