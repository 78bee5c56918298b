#pragma once
// Whose cluster it is: what a host's cluster holds, of whoever.

#include "base/error.hpp"
#include "db/host_clusters.hpp"
#include "db/postgres.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace commento {

struct Census {
    std::vector<std::string> databases{}; ///< all but postgres, template0 and template1, by name
    std::vector<Row> facts{};  ///< of roles and databases, each about what it begins with: the same after an upgrade
    std::uint64_t bytes = 0;   ///< of all databases, wherever their tablespaces are
    std::uint64_t objects = 0; ///< tables and the like that somebody made in postgres or template1
    bool has_roles = false;    ///< others than the one that the cluster was made with
    std::vector<std::string> stale{}; ///< databases whose indexes were made with another version of the C library

    bool is_empty() const { return databases.empty() && !has_roles && objects == 0; }
};

/// Asks the cluster that listens on this port, as its owner. For root only.
Result<Census> take_census(const Paths& paths, const HostCluster& cluster, int port);

/// Names the roles and databases that differ; empty where none do.
std::string differences(const Census& before, const Census& after);

} // namespace commento
