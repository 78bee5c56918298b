#include "db/upkeep.hpp"

#include "base/clock.hpp"
#include "db/backup.hpp"
#include "db/databases.hpp"
#include "db/retention.hpp"
#include "db/shelf.hpp"
#include "db/verify.hpp"

#include <spdlog/spdlog.h>

namespace commento {
namespace {

constexpr std::int64_t kWeek = 7LL * 86400;

bool is_verification_due(const Paths& paths) {
    return time_of_verification(paths, last_verified(paths)) <= now() - kWeek;
}

Result<bool> may_make_databases(Postgres& connection) {
    return connection.query("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        .map([](const auto& rows) { return rows.at(0).at(0) == "t"; });
}

} // namespace

Result<void> make_scheduled_backup(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(Postgres connection, connect_for_backups(paths, settings));
    COMMENTO_CHECK(drop_leftovers(connection, database_server(paths, settings), kWeek));
    COMMENTO_ASSIGN(const std::string name, make_backup(paths, settings, "scheduled"));
    COMMENTO_ASSIGN(const bool possible, may_make_databases(connection));
    if (!possible)
        spdlog::warn(
            "backup {} is not verified: the role may not make databases; commentoctl db check tells the remedy", name);
    else if (is_verification_due(paths)) {
        COMMENTO_CHECK(verify_backup(paths, settings, name));
    }
    return prune(paths, settings);
}

Result<void> prune(const Paths& paths, const Settings& settings) {
    const Retention keep{settings.number("BACKUP_KEEP_DAILY"), settings.number("BACKUP_KEEP_WEEKLY"),
                         settings.number("BACKUP_KEEP_MONTHLY")};
    const std::string verified = last_verified(paths);
    for (const auto& name : superfluous(backups_in(paths), keep, now())) {
        if (name != verified) {
            COMMENTO_CHECK(remove_backup(paths, name));
            spdlog::info("removed backup {}, which the settings do not keep", name);
        }
    }
    return {};
}

Result<void> tidy(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(const auto lock, try_lock_backups(paths));
    if (!lock)
        return {};
    remove_unfinished(paths);
    COMMENTO_ASSIGN(Postgres connection, connect_for_backups(paths, settings));
    return drop_leftovers(connection, database_server(paths, settings), std::nullopt);
}

} // namespace commento
