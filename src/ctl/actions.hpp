#pragma once
// What commentoctl has others do. Helpers that change something are started as units and never called: each must run
// as its own user, inside its own sandbox.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace commento {

/// ErrorCode::permission, with the command to give instead, for any other user.
Result<void> require_root(const std::string& command);

/// Starts the unit of a helper's verb, shows what it logs, and ends as it did: with the helper's own error and code.
Result<void> run_helper(const std::string& unit);

/// Waits for the end of a run of this unit that is under way. How that ended does not matter.
Result<void> await_run(const std::string& unit);

/// Calls a verb of a helper that only reads, as the calling user; the value is what it prints on stdout. What it logs
/// goes to stderr, but its error, which is returned with its code.
Result<std::string> call_helper(const Paths& paths, const std::string& helper, std::vector<std::string> arguments,
                                std::chrono::seconds patience = std::chrono::minutes(1));

/// Returns when the application answers, or does not: ErrorCode::application, with `way_back` in the hint.
Result<void> await_application(const std::string& way_back);

enum class Begin { start, restart };

/// Enables commento.target and starts it; a restart has the parts that run already take new settings. What `units` log
/// meanwhile is shown.
Result<void> start_stack(Begin how, const std::vector<std::string>& units);

} // namespace commento
