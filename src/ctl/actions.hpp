#pragma once
// What commentoctl has systemd do. Helpers are started as units and never called: each must run as its own user, inside
// its own sandbox.

#include "base/error.hpp"

#include <string>

namespace commento {

/// Starts the unit of a helper's verb, shows what it logs, and ends as it did: with the helper's own error and code.
Result<void> run_helper(const std::string& unit);

enum class Begin { start, restart };

/// Enables commento.target and starts it; a restart has the parts that run already take new settings.
Result<void> start_stack(Begin how);

} // namespace commento
