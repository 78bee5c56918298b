#include "db/restore.hpp"

#include "db/backup.hpp"
#include "db/databases.hpp"
#include "db/parts.hpp"
#include "db/postgres.hpp"
#include "db/verify.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

std::string rename(std::string_view from, std::string_view to) {
    return fmt::format("ALTER DATABASE {} RENAME TO {}", from, to);
}

/// All or none of them.
Result<void> at_once(Postgres& server, const std::vector<std::string>& statements) {
    COMMENTO_CHECK(server.query("BEGIN"));
    for (const auto& statement : statements) {
        auto done = server.query(statement);
        if (!done) {
            Error error = std::move(done).error();
            error.hint =
                "end what is connected to the database (psql, pg_dump); SELECT * FROM pg_stat_activity shows it";
            return tl::unexpected(std::move(error));
        }
    }
    COMMENTO_CHECK(server.query("COMMIT"));
    return {};
}

/// A database that can't be read is what a restore may be wanted for: it is kept as it is, so that is no reason to
/// stop.
Result<void> back_up_before(const Paths& paths, const Settings& settings) {
    const auto made = make_backup(paths, settings, "before-restore");
    if (made || made.error().code != ErrorCode::database)
        return made.map([](const std::string& /*name*/) {});
    spdlog::warn("no backup can be made of what is there ({}); it will be kept as {} only", made.error().message,
                 kReplaced);
    return {};
}

Result<bool> exists(Postgres& server, const std::string& database) {
    return mark_of(server, database).map([](const auto& mark) { return mark.has_value(); });
}

Result<void> require_replaced(Postgres& server) {
    COMMENTO_ASSIGN(const bool kept, exists(server, kReplaced));
    if (kept)
        return {};
    return fail(ErrorCode::backup, "no former database is kept that could be taken back",
                "it is dropped a week after a restore; commentoctl backup list shows the backup made before it");
}

} // namespace

Result<void> restore(const Paths& paths, const Settings& settings, const std::string& name) {
    COMMENTO_ASSIGN(Postgres server, connect_for_backups(paths, settings));
    COMMENTO_ASSIGN(const bool has_database, exists(server, kDatabase));
    if (has_database) {
        COMMENTO_CHECK(back_up_before(paths, settings));
    }
    auto done = put_back_and_compare(paths, settings, name, kRestored);
    if (done)
        done = mark(server, kRestored);
    if (!done)
        std::ignore = drop(server, kRestored);
    return done;
}

Result<void> switch_databases(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(Postgres server, connect_for_backups(paths, settings));
    COMMENTO_ASSIGN(const auto restored, mark_of(server, kRestored));
    if (restored.value_or(0) == 0)
        return fail(ErrorCode::backup, "no backup is put back that could be switched to",
                    "commentoctl backup restore NAME does both");
    COMMENTO_ASSIGN(const bool has_database, exists(server, kDatabase));
    COMMENTO_ASSIGN(const bool has_replaced, exists(server, kReplaced));
    COMMENTO_CHECK(drop(server, kScratch));
    std::vector<std::string> statements;
    if (has_replaced && has_database)
        statements.push_back(rename(kReplaced, kScratch)); // dropped only once the switch is done
    if (has_database)
        statements.insert(statements.end(), {rename(kDatabase, kReplaced), marking(kReplaced)});
    statements.push_back(rename(kRestored, kDatabase));
    COMMENTO_CHECK(at_once(server, statements));
    COMMENTO_CHECK(drop(server, kScratch));
    spdlog::info("switched to the backup; the former database is kept for a week as {}", kReplaced);
    return {};
}

Result<void> check_undo(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(Postgres server, connect_for_backups(paths, settings));
    return require_replaced(server);
}

Result<void> undo_restore(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(Postgres server, connect_for_backups(paths, settings));
    COMMENTO_CHECK(require_replaced(server));
    COMMENTO_CHECK(drop(server, kRestored));
    COMMENTO_CHECK(at_once(server, {rename(kDatabase, kRestored), rename(kReplaced, kDatabase),
                                    rename(kRestored, kReplaced), marking(kReplaced)}));
    spdlog::info("the former database is back; what it replaced is kept for a week as {}", kReplaced);
    return {};
}

} // namespace commento
