#pragma once
// Programs run by argument vector with a clean environment; never a shell.

#include "base/error.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace commento {

struct Outcome {
    int status;         ///< exit status; 128 + signal number when a signal ended it
    std::string output; ///< stdout and stderr as they came, the first 64 KiB
};

/// Runs `arguments[0]` (found in /usr/sbin:/usr/bin:/sbin:/bin) and waits for it. The environment holds only PATH and
/// LC_ALL. Fails with ErrorCode::internal when it can't be started; when `limit` passes it is killed and the same
/// fails.
Result<Outcome> run_program(const std::vector<std::string>& arguments, std::chrono::seconds limit);

} // namespace commento
