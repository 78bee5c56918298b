#pragma once
#include "base/error.hpp"

#include <functional>
#include <string>

namespace commento {

/// How the last run of a unit ended.
struct Ending {
    std::string unit;       ///< without its suffix
    std::string result;     ///< success, exit-code, timeout, signal … (systemd.exec(5), $SERVICE_RESULT)
    std::string code;       ///< exited, killed, dumped
    std::string status;     ///< a number, or a signal's name
    std::string invocation; ///< id of that run, for the journal
};

/// What systemd tells a unit that another one's OnFailure= or OnSuccess= started ($MONITOR_…, systemd.exec(5)).
/// `variable` is getenv(3). ErrorCode::settings where it was not started so, or for what is no name of a unit of ours.
Result<Ending> ending_of(const std::string& unit, const std::function<const char*(const char*)>& variable);

/// The program did what it was to do. A run that was skipped, or stopped, did not.
bool went_well(const Ending& ending);

/// It was told to end, by an operator or by the target's stop: that is no failure.
bool was_stopped(const Ending& ending);

/// The program's exit status; -1 where it had none.
int exit_status(const Ending& ending);

} // namespace commento
