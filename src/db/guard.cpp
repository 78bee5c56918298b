#include "db/guard.hpp"

#include "base/files.hpp"
#include "db/backup.hpp"
#include "db/postgres.hpp"
#include "db/shelf.hpp"
#include "db/upgrade_state.hpp"

#include <fmt/format.h>
#include <set>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReason = "before-upgrade";
constexpr std::size_t kLargestStep = 4U << 20U;

/// The release that the application was last started with.
fs::path record(const Paths& paths) { return paths.backups() / "release"; }

/// The release that is about to start: the one of a changeover, where one is under way.
fs::path release_to_start(const Paths& paths) {
    const std::string beside = link_target(paths.beside_release());
    return beside.empty() ? paths.app() / link_target(paths.app_current()) : fs::path(beside);
}

/// Names of the steps on record; nothing where the application never made its tables.
Result<std::optional<std::set<std::string>>> recorded_steps(Postgres& database) {
    COMMENTO_ASSIGN(const auto made, database.query("SELECT to_regclass('public.migrations') IS NOT NULL"));
    if (made.at(0).at(0) != "t")
        return std::nullopt;
    COMMENTO_ASSIGN(const auto rows, database.query("SELECT filename FROM public.migrations"));
    std::set<std::string> names;
    for (const auto& row : rows)
        names.insert(row.at(0));
    return names;
}

/// The first step of a release that is not on record, as the application takes them: by name.
std::optional<fs::path> next_step(const fs::path& release, const std::set<std::string>& recorded) {
    std::set<fs::path> files;
    std::error_code fault;
    for (const auto& entry : fs::directory_iterator(release / "db", fault)) {
        if (entry.path().extension() == ".sql" && !recorded.contains(entry.path().filename()))
            files.insert(entry.path());
    }
    return files.empty() ? std::nullopt : std::optional(*files.begin());
}

/// What the server says of a step that is taken a second time (PostgreSQL, appendix A): what it makes is there already,
/// or what it changes is no longer (class 42, without "insufficient privilege"); a row that it adds is there (23505).
bool is_taken_again(std::string_view state) {
    return (state.starts_with("42") && state != "42501") || state == "23505";
}

/// Whether a step took effect before, by taking it in a transaction that is rolled back.
Result<bool> has_taken_effect(Postgres& database, const DatabaseServer& server, const fs::path& step) {
    COMMENTO_ASSIGN(const std::string text, read_file(step, kLargestStep));
    COMMENTO_CHECK(database.script(
        fmt::format("BEGIN; SET LOCAL ROLE {}; SET LOCAL search_path TO public", identifier(server.owner))));
    const auto taken = database.script(text);
    COMMENTO_CHECK(database.script("ROLLBACK"));
    return !taken && is_taken_again(database.state());
}

std::string way_back(const Paths& paths, const DatabaseServer& server) {
    for (const auto& name : newest_backups(paths)) {
        const auto manifest = manifest_of(paths, name);
        if (manifest && manifest->reason == kReason)
            return fmt::format("go back to before it, and the next start tries again: commentoctl backup restore {}",
                               name);
    }
    return fmt::format(
        "where the site never ran, the database holds nothing yet: drop it ({}), then: systemctl restart "
        "commento.target",
        server.is_own ? "runuser -u postgres -- dropdb commento" : "DROP DATABASE " + identifier(server.database));
}

Result<void> check_last_start(const Paths& paths, const DatabaseServer& server, Postgres& database,
                              const fs::path& step) {
    COMMENTO_ASSIGN(const bool half_way, has_taken_effect(database, server, step));
    if (!half_way)
        return {};
    return fail(
        ErrorCode::database,
        fmt::format("{} took effect in the database but is not on record there: the application was cut off, and "
                    "fails at it at each start",
                    step.string()),
        way_back(paths, server));
}

} // namespace

Result<void> guard(const Paths& paths) {
    COMMENTO_CHECK(require_no_half_upgrade(paths));
    const fs::path folder = release_to_start(paths);
    const std::string release = folder.filename();
    const bool is_known = read_file(record(paths)).value_or("") == release;
    const auto settings = Settings::load(paths);
    if (!settings && is_known) {
        spdlog::warn("{}; this release was started before, and is started again", settings.error().message);
        return {};
    }
    COMMENTO_CHECK(settings);
    const DatabaseServer server = database_server(paths, *settings);
    COMMENTO_ASSIGN(Postgres database, Postgres::connect(server, server.backup_role, server.database));
    COMMENTO_ASSIGN(const auto recorded, recorded_steps(database));
    if (recorded && is_known) {
        const auto step = next_step(folder, *recorded);
        return step ? check_last_start(paths, server, database, *step) : Result<void>();
    }
    // Only now: a start of the same release waits for no backup that is being made or verified.
    COMMENTO_ASSIGN(const Fd lock, lock_backups(paths));
    if (recorded) {
        COMMENTO_CHECK(make_backup(paths, *settings, kReason));
    }
    return write_file(record(paths), release, S_IRUSR | S_IWUSR);
}

} // namespace commento
