#pragma once
// How far an upgrade of the host's cluster has come: a file that is written before each step that a power cut must not
// leave half done, and read by whoever finishes or undoes it. Nothing else remembers the upgrade.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace commento {

enum class UpgradePhase {
    copying,   ///< the newer cluster is being made or checked: the older one is what counts
    switching, ///< the newer one was found right: it is what counts
    kept,      ///< done; the older one is kept as it was
    returning  ///< being undone: the older one counts again
};

struct UpgradeState {
    UpgradePhase phase{};
    int older = 0; ///< major versions
    int newer = 0;
    std::string name;   ///< of both clusters
    int port = 0;       ///< of the one that counts
    int other_port = 0; ///< of the other one; 0 while that is not known
    std::string backup; ///< made before

    bool operator==(const UpgradeState&) const = default;
};

std::string to_json(const UpgradeState& state);

/// ErrorCode::storage where the text is none.
Result<UpgradeState> parse_upgrade_state(std::string_view text, const std::string& file);

/// Nothing where there was no upgrade, or it was undone.
Result<std::optional<UpgradeState>> upgrade_state(const Paths& paths);

Result<void> record_upgrade(const Paths& paths, const UpgradeState& state);

Result<void> forget_upgrade(const Paths& paths);

/// Fails with ErrorCode::database while an upgrade is neither done nor undone: what the application wrote now could be
/// lost with the cluster that it wrote to.
Result<void> require_no_half_upgrade(const Paths& paths);

} // namespace commento
