#include "db/backup.hpp"

#include "base/files.hpp"
#include "base/program.hpp"
#include "base/progress.hpp"
#include "db/databases.hpp"
#include "db/dump.hpp"
#include "db/host_files.hpp"
#include "db/parts.hpp"
#include "db/retention.hpp"
#include "db/tables.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ranges>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEnding = ".zip";
constexpr const char* kMark = ".verified";
constexpr const char* kUnfinished = ".unfinished";
constexpr std::int64_t kWeek = 7LL * 86400;
constexpr std::size_t kLargestManifest = 1U << 20U;
constexpr std::size_t kLargestHostPart = 1U << 28U; // thousands of certificates take less
constexpr const char* kHostPart = "host.tar";
constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

std::string moment(std::int64_t seconds) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

fs::path mark_of_backup(const Paths& paths, const std::string& name) { return paths.backups() / (name + kMark); }

void remove_unfinished(const Paths& paths) {
    std::error_code fault;
    for (const auto& entry : fs::directory_iterator(paths.backups(), fault)) {
        if (entry.path().extension() == kUnfinished)
            fs::remove(entry.path(), fault);
    }
    remove_temporaries(paths.backups());
}

/// The tables as one transaction sees them, and the dump of just that.
Result<std::vector<TableFacts>> dump_as_one_sees_it(const Cluster& cluster, int version, ArchiveWriter& archive,
                                                    std::vector<PartFacts>& parts) {
    COMMENTO_ASSIGN(Postgres database, Postgres::connect(cluster, kBackupRole, kDatabase));
    COMMENTO_CHECK(database.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
    COMMENTO_ASSIGN(const auto snapshot, database.query("SELECT pg_export_snapshot()"));
    COMMENTO_CHECK(archive.begin(kDumpPart));
    COMMENTO_CHECK(dump(cluster, version, snapshot.at(0).at(0), archive));
    COMMENTO_ASSIGN(PartFacts part, archive.end());
    parts.push_back(std::move(part));
    return facts_of_tables(database);
}

Result<Manifest> fill(const Paths& paths, const Settings& settings, ArchiveWriter& archive) {
    const Cluster cluster = cluster_of(paths, settings);
    COMMENTO_ASSIGN(Postgres server, Postgres::connect(cluster, kBackupRole, "postgres"));
    COMMENTO_ASSIGN(const int version, version_of(server));
    COMMENTO_ASSIGN(const auto version_text, server.query("SHOW server_version"));
    Manifest manifest{.made = moment(std::time(nullptr)),
                      .reason = {},
                      .domain = settings.text("DOMAIN"),
                      .postgresql = version_text.at(0).at(0),
                      .application = fs::path(link_target(paths.app_current())).filename(),
                      .stack = std::string(stack_version()),
                      .parts = {},
                      .tables = {}};
    COMMENTO_ASSIGN(manifest.tables, dump_as_one_sees_it(cluster, version, archive, manifest.parts));
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
    std::int64_t now = std::time(nullptr);
    while (fs::exists(file_of_backup(paths, backup_name(now))))
        ++now;
    return backup_name(now);
}

std::uint64_t size_of_dump(const Manifest& manifest) {
    const auto part = std::ranges::find(manifest.parts, kDumpPart, &PartFacts::name);
    return part == manifest.parts.end() ? 0 : part->bytes;
}

/// An archive at its dump, which says how far it was read.
Result<ArchiveReader> open_at_dump(const fs::path& file) {
    COMMENTO_ASSIGN(ArchiveReader reader, ArchiveReader::open(file));
    COMMENTO_CHECK(reader.find(kDumpPart));
    return reader;
}

/// As SHOW server_version_num has it, of the version that the manifest names.
int major_version(const Manifest& manifest) {
    constexpr int kMajor = 10000;
    return std::atoi(manifest.postgresql.c_str()) * kMajor; // NOLINT(cert-err34-c): what is no number is version 0
}

std::string last_verified(const Paths& paths) {
    for (const auto& name : backups_in(paths) | std::views::reverse) {
        if (fs::exists(mark_of_backup(paths, name)))
            return name;
    }
    return {};
}

/// Whether no backup was verified within the last week.
bool is_verification_due(const Paths& paths) {
    const std::string name = last_verified(paths);
    struct stat status {};
    return name.empty() || ::stat(mark_of_backup(paths, name).c_str(), &status) != 0 ||
           status.st_mtime <= std::time(nullptr) - kWeek;
}

Result<void> remove_backup(const Paths& paths, const std::string& name) {
    for (const auto& file : {mark_of_backup(paths, name), file_of_backup(paths, name)}) {
        std::error_code fault;
        fs::remove(file, fault);
        if (fault)
            return fail_errno(ErrorCode::storage, fmt::format("cannot remove {}", file.string()), fault.value());
    }
    spdlog::info("removed backup {}, which the settings do not keep", name);
    return {};
}

nlohmann::ordered_json facts_of(const Paths& paths, const std::string& name) {
    nlohmann::ordered_json entry{{"name", name}, {"bytes", fs::file_size(file_of_backup(paths, name))}};
    entry["verified"] = nullptr;
    if (const auto mark = read_file(mark_of_backup(paths, name)))
        entry["verified"] = mark->substr(0, mark->find('\n'));
    const auto manifest = manifest_of(paths, name);
    if (!manifest) {
        entry["fault"] = manifest.error().message;
        return entry;
    }
    entry["fault"] = nullptr;
    entry.update(nlohmann::ordered_json::parse(to_json(*manifest)));
    return entry;
}

/// Writes the part that `reader` has come to as a file.
Result<void> write_part(ArchiveReader& reader, const fs::path& file) {
    std::ofstream out(file, std::ios::binary);
    while (out) {
        COMMENTO_ASSIGN(const std::string_view piece, reader.read());
        if (piece.empty())
            out.close();
        else
            out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
        if (piece.empty() && out)
            return {};
    }
    return fail_errno(ErrorCode::storage, fmt::format("cannot write {}", file.string()), errno);
}

Result<void> write_parts(const fs::path& archive, const fs::path& folder) {
    COMMENTO_ASSIGN(ArchiveReader reader, ArchiveReader::open(archive));
    while (true) {
        COMMENTO_ASSIGN(const auto name, reader.next());
        if (!name)
            return {};
        // check_parts() has seen that there is nothing but what the manifest names; a name is still no path.
        COMMENTO_CHECK(write_part(reader, folder / fs::path(*name).filename()));
    }
}

} // namespace

Result<Fd> lock_backups(const Paths& paths) { return lock_file(paths.backups() / "lock"); }

std::vector<std::string> backups_in(const Paths& paths) {
    std::vector<std::string> names;
    std::error_code fault;
    for (const auto& entry : fs::directory_iterator(paths.backups(), fault)) {
        if (entry.path().extension() == kEnding && time_of_backup(entry.path().stem()) >= 0)
            names.push_back(entry.path().stem());
    }
    std::ranges::sort(names);
    return names;
}

fs::path file_of_backup(const Paths& paths, const std::string& name) { return paths.backups() / (name + kEnding); }

Result<std::string> find_backup(const Paths& paths, const std::string& name) {
    const auto names = backups_in(paths);
    const std::string wanted = name.ends_with(kEnding) ? name.substr(0, name.size() - 4) : name;
    if (wanted == "latest" && !names.empty())
        return names.back();
    if (std::ranges::find(names, wanted) != names.end())
        return wanted;
    return fail(ErrorCode::backup, fmt::format("there is no backup {} in {}", wanted, paths.backups().string()),
                "commentoctl backup list shows what there is; one from elsewhere is copied into that folder first");
}

Result<Manifest> manifest_of(const Paths& paths, const std::string& name) {
    const fs::path file = file_of_backup(paths, name);
    COMMENTO_ASSIGN(ArchiveReader reader, ArchiveReader::open(file));
    COMMENTO_CHECK(reader.find(kManifestPart));
    COMMENTO_ASSIGN(const std::string text, reader.read_all(kLargestManifest));
    return parse_manifest(text, file.string());
}

Result<std::string> make_backup(const Paths& paths, const Settings& settings, const std::string& reason) {
    remove_unfinished(paths);
    const std::string name = new_name(paths);
    const fs::path file = file_of_backup(paths, name);
    const fs::path unfinished = paths.backups() / (name + kUnfinished);
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

Result<void> put_back_and_compare(const Paths& paths, const Settings& settings, const std::string& name,
                                  const std::string& database) {
    const Cluster cluster = cluster_of(paths, settings);
    COMMENTO_ASSIGN(const Manifest manifest, manifest_of(paths, name));
    COMMENTO_CHECK(check_parts(file_of_backup(paths, name), manifest.parts));
    COMMENTO_ASSIGN(Postgres server, Postgres::connect(cluster, kBackupRole, "postgres"));
    COMMENTO_ASSIGN(const int version, version_of(server));
    COMMENTO_CHECK(remake(server, database));
    COMMENTO_ASSIGN(ArchiveReader reader, open_at_dump(file_of_backup(paths, name)));
    Progress progress(fmt::format("putting back {}", name));
    std::uint64_t read = 0;
    const auto next = [&]() -> Result<std::string_view> {
        COMMENTO_ASSIGN(const std::string_view piece, reader.read());
        progress.show(size_of_dump(manifest), read += piece.size());
        return piece;
    };
    COMMENTO_CHECK(put_back(cluster, version, database, next));
    COMMENTO_ASSIGN(Postgres filled, Postgres::connect(cluster, kBackupRole, database));
    COMMENTO_ASSIGN(const auto tables, facts_of_tables(filled));
    if (const std::string difference = differences(manifest.tables, tables); !difference.empty())
        return fail(ErrorCode::backup,
                    fmt::format("backup {} does not give back what it was made from:\n{}", name, difference),
                    "make a new one: commentoctl backup now");
    return {};
}

Result<void> verify_backup(const Paths& paths, const Settings& settings, const std::string& name) {
    auto compared = put_back_and_compare(paths, settings, name, kScratch);
    const auto dropped =
        Postgres::connect(cluster_of(paths, settings), kBackupRole, "postgres").and_then([](Postgres server) {
            return drop(server, kScratch);
        });
    COMMENTO_CHECK(std::move(compared));
    COMMENTO_CHECK(dropped);
    COMMENTO_CHECK(write_file(mark_of_backup(paths, name), moment(std::time(nullptr)) + "\n", kOwnerOnly));
    spdlog::info("backup {} is whole, and gives back what it was made from", name);
    return {};
}

Result<void> prune(const Paths& paths, const Settings& settings) {
    const Retention keep{settings.number("BACKUP_KEEP_DAILY"), settings.number("BACKUP_KEEP_WEEKLY"),
                         settings.number("BACKUP_KEEP_MONTHLY")};
    const std::string verified = last_verified(paths);
    for (const auto& name : superfluous(backups_in(paths), keep, std::time(nullptr))) {
        if (name != verified) {
            COMMENTO_CHECK(remove_backup(paths, name));
        }
    }
    return {};
}

Result<void> make_scheduled_backup(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(Postgres server, Postgres::connect(cluster_of(paths, settings), kBackupRole, "postgres"));
    COMMENTO_CHECK(drop_leftovers(server, kWeek));
    COMMENTO_ASSIGN(const std::string name, make_backup(paths, settings, "scheduled"));
    COMMENTO_CHECK(prune(paths, settings));
    return is_verification_due(paths) ? verify_backup(paths, settings, name) : Result<void>();
}

Result<void> tidy(const Paths& paths, const Settings& settings) {
    remove_unfinished(paths);
    COMMENTO_ASSIGN(Postgres server, Postgres::connect(cluster_of(paths, settings), kBackupRole, "postgres"));
    return drop_leftovers(server, std::nullopt);
}

Result<void> export_backup(const Paths& paths, const std::string& name, const fs::path& folder) {
    const fs::path archive = file_of_backup(paths, name);
    COMMENTO_ASSIGN(const Manifest manifest, manifest_of(paths, name));
    COMMENTO_CHECK(check_parts(archive, manifest.parts));
    if (fs::exists(folder) && !fs::is_empty(folder))
        return fail(ErrorCode::settings, fmt::format("{} is there already, and not empty", folder.string()),
                    "name a new folder");
    COMMENTO_CHECK(make_folder(folder, S_IRWXU));
    COMMENTO_CHECK(write_parts(archive, folder));
    COMMENTO_ASSIGN(ArchiveReader reader, open_at_dump(archive));
    COMMENTO_CHECK(write_sql(
        major_version(manifest), [&] { return reader.read(); }, folder / "database.sql"));
    const fs::path host = folder / kHostPart;
    if (!fs::exists(host))
        return {};
    COMMENTO_ASSIGN(const std::string tar, read_file(host, kLargestHostPart));
    return unpack_host_files(tar, folder / "host");
}

Result<void> list_backups(const Paths& paths) {
    auto entries = nlohmann::ordered_json::array();
    for (const auto& name : backups_in(paths))
        entries.push_back(facts_of(paths, name));
    constexpr int kIndent = 2;
    fmt::print("{}\n", entries.dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace));
    return {};
}

} // namespace commento
