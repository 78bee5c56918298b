#pragma once
// The application's role and database in the host's cluster.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

#include <optional>
#include <string>
#include <vector>

namespace commento {

/// What a cluster holds of ours.
struct Inventory {
    struct Role {
        bool may_log_in;
        bool is_superuser;
    };
    bool is_standby = false;
    std::optional<Role> role;
    std::optional<std::string> database_owner; ///< nothing when there is no database
};

/// The statements that make what is missing, in order; none when nothing is. ErrorCode::database where something of
/// that name is there but is not ours to use: rights and owners that somebody else chose are never changed.
Result<std::vector<std::string>> missing_parts(const Inventory& inventory, int port);

/// Waits for the cluster's server, makes role and database where they are missing, and checks that the application
/// will be able to make its tables. Nothing is ever dropped or altered.
Result<void> provision(const Paths& paths, const Settings& settings);

} // namespace commento
