#pragma once
// The application's roles and database, in the host's own cluster or elsewhere, and the pool in front of them.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/database_server.hpp"
#include "config/settings.hpp"

#include <optional>
#include <string>

namespace commento {

/// What a server holds under our names that somebody else may have put there.
struct Inventory {
    struct Role {
        bool may_log_in;
        bool is_superuser;
    };
    struct Database {
        std::string owner;
        std::string encoding;
    };
    bool is_standby = false;
    std::optional<Role> role;
    std::optional<Database> database;
};

/// Fails with ErrorCode::database where something in it can't be used and is not ours to change.
Result<void> check_inventory(const Inventory& inventory, const DatabaseServer& server);

/// Makes each part that is missing or is not as it should be (parts.hpp); then
/// writes the pool's configuration. Nothing is ever dropped, and what belongs to somebody else is refused and stays as
/// it is. The host's own cluster is waited for; another server has to be there.
Result<void> provision(const Paths& paths, const Settings& settings);

/// Says which parts are missing or not as they should be, and changes nothing. ErrorCode::unhealthy where there are
/// any.
Result<void> check(const Paths& paths, const Settings& settings);

} // namespace commento
