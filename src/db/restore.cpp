#include "db/restore.hpp"

#include "db/backup.hpp"
#include "db/databases.hpp"
#include "db/postgres.hpp"
#include "db/verify.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

std::string rename(std::string_view from, std::string_view to) {
    return fmt::format("ALTER DATABASE {} RENAME TO {}", identifier(from), identifier(to));
}

/// All or none of them.
Result<void> at_once(Postgres& connection, const std::vector<std::string>& statements) {
    COMMENTO_CHECK(connection.query("BEGIN"));
    for (const auto& statement : statements) {
        auto done = connection.query(statement);
        if (!done) {
            Error error = std::move(done).error();
            error.hint =
                "end what is connected to the database (psql, pg_dump); SELECT * FROM pg_stat_activity shows it";
            return tl::unexpected(std::move(error));
        }
    }
    COMMENTO_CHECK(connection.query("COMMIT"));
    return {};
}

/// A database that can't be read is what a restore may be wanted for: it is kept as it is, so that is no reason to
/// stop.
Result<void> back_up_before(const Paths& paths, const Settings& settings) {
    const auto made = make_backup(paths, settings, "before-restore");
    if (made || made.error().code != ErrorCode::database)
        return made.map([](const std::string& /*name*/) {});
    spdlog::warn("no backup can be made of what is there ({}); it will be kept as {} only", made.error().message,
                 replaced_of(database_server(paths, settings)));
    return {};
}

/// A database can't be renamed by who is connected to it.
Result<void> require_outside(Postgres& connection, const DatabaseServer& server) {
    COMMENTO_ASSIGN(const auto rows, connection.query("SELECT current_database()"));
    if (rows.at(0).at(0) != server.database)
        return {};
    return fail(ErrorCode::database,
                fmt::format("role {} may not connect to database postgres, from where databases are renamed",
                            server.backup_role),
                "have the server let it in there (CONNECT, pg_hba.conf)");
}

Result<bool> exists(Postgres& connection, const std::string& database) {
    return mark_of(connection, database).map([](const auto& mark) { return mark.has_value(); });
}

Result<void> require_replaced(Postgres& connection, const DatabaseServer& server) {
    COMMENTO_ASSIGN(const bool kept, exists(connection, replaced_of(server)));
    if (kept)
        return {};
    return fail(ErrorCode::backup, "no former database is kept that could be taken back",
                "it is dropped a week after a restore; commentoctl backup list shows the backup made before it");
}

} // namespace

Result<void> restore(const Paths& paths, const Settings& settings, const std::string& name) {
    const DatabaseServer server = database_server(paths, settings);
    COMMENTO_ASSIGN(Postgres connection, connect_for_backups(paths, settings));
    COMMENTO_CHECK(require_outside(connection, server));
    COMMENTO_ASSIGN(const bool has_database, exists(connection, server.database));
    if (has_database) {
        COMMENTO_CHECK(back_up_before(paths, settings));
    }
    auto done = put_back_and_compare(paths, settings, name, restored_of(server));
    if (done)
        done = mark(connection, restored_of(server));
    if (!done)
        std::ignore = drop(connection, restored_of(server));
    return done;
}

Result<void> switch_databases(const Paths& paths, const Settings& settings) {
    const DatabaseServer server = database_server(paths, settings);
    const std::string scratch = scratch_of(server);
    const std::string restored = restored_of(server);
    const std::string replaced = replaced_of(server);
    COMMENTO_ASSIGN(Postgres connection, connect_for_backups(paths, settings));
    COMMENTO_ASSIGN(const auto mark_of_restored, mark_of(connection, restored));
    if (mark_of_restored.value_or(0) == 0)
        return fail(ErrorCode::backup, "no backup is put back that could be switched to",
                    "commentoctl backup restore NAME does both");
    COMMENTO_ASSIGN(const bool has_database, exists(connection, server.database));
    COMMENTO_ASSIGN(const bool has_replaced, exists(connection, replaced));
    COMMENTO_CHECK(drop(connection, scratch));
    std::vector<std::string> statements;
    if (has_replaced && has_database)
        statements.push_back(rename(replaced, scratch)); // dropped only once the switch is done
    if (has_database)
        statements.insert(statements.end(), {rename(server.database, replaced), marking(replaced)});
    statements.push_back(rename(restored, server.database));
    COMMENTO_CHECK(at_once(connection, statements));
    COMMENTO_CHECK(drop(connection, scratch));
    spdlog::info("switched to the backup; the former database is kept for a week as {}", replaced);
    return {};
}

Result<void> check_undo(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(Postgres connection, connect_for_backups(paths, settings));
    return require_replaced(connection, database_server(paths, settings));
}

Result<void> undo_restore(const Paths& paths, const Settings& settings) {
    const DatabaseServer server = database_server(paths, settings);
    const std::string restored = restored_of(server);
    const std::string replaced = replaced_of(server);
    COMMENTO_ASSIGN(Postgres connection, connect_for_backups(paths, settings));
    COMMENTO_CHECK(require_replaced(connection, server));
    COMMENTO_CHECK(drop(connection, restored));
    COMMENTO_CHECK(at_once(connection, {rename(server.database, restored), rename(replaced, server.database),
                                        rename(restored, replaced), marking(replaced)}));
    spdlog::info("the former database is back; what it replaced is kept for a week as {}", replaced);
    return {};
}

} // namespace commento
