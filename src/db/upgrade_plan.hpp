#pragma once
// Whether the host's cluster can be upgraded, and what that would be. Asks, and changes nothing.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"
#include "db/census.hpp"
#include "db/host_clusters.hpp"
#include "db/upgrade_state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace commento {

/// What is to become of which cluster.
struct UpgradeChoice {
    HostCluster current;
    int target = 0;                   ///< the newest version that is installed; 0: there is nothing to do
    std::optional<HostCluster> taken; ///< a cluster that has the target's name already
};

/// ErrorCode::database where the cluster on `port` can't be upgraded. `supported`: the newest version that packages are
/// to be had of; 0 where that is not known.
Result<UpgradeChoice> choose_upgrade(const std::vector<HostCluster>& clusters, const std::vector<int>& installed,
                                     int supported, int port);

struct UpgradePlan {
    UpgradeChoice choice;
    Census census; ///< of the current cluster, where there is something to do
};

/// Also fails where the target's name is taken by a cluster that holds anything, or there is no room for the copy.
Result<UpgradePlan> plan_upgrade(const Paths& paths, const Settings& settings);

/// The upgrade that can be undone. ErrorCode::database where there is none, or the older cluster is no longer there.
Result<UpgradeState> plan_undo(const Paths& paths, const Settings& settings);

/// Print the plans as JSON, for commentoctl.
Result<void> print_upgrade_plan(const Paths& paths, const Settings& settings);
Result<void> print_undo_plan(const Paths& paths, const Settings& settings);

} // namespace commento
