#pragma once
// Programs run by argument vector with a clean environment; never a shell.

#include "base/error.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

struct Outcome {
    int status;           ///< exit status; 128 + signal number when a signal ended it
    std::string output;   ///< stdout and stderr as they came, up to a limit
    std::string errors{}; ///< stderr, where that is kept apart, up to the limit
};

enum class Stderr { with_output, apart };

/// Bytes of output that are kept where nobody asks for more; what follows is read and dropped.
inline constexpr std::size_t kKeptOutput = 65536;

/// Runs `arguments[0]` (found in /usr/sbin:/usr/bin:/sbin:/bin) and waits for it. The environment holds only PATH,
/// LC_ALL and `environment` (each NAME=value). Fails with ErrorCode::internal when it can't be started; when `limit`
/// passes it is killed and the same fails. Of each output the first `kept` bytes are kept.
Result<Outcome> run_program(const std::vector<std::string>& arguments, std::chrono::seconds limit,
                            const std::vector<std::string>& environment = {}, Stderr errors = Stderr::with_output,
                            std::size_t kept = kKeptOutput);

/// Where a program's input comes from and its output goes to, piece by piece.
struct Streams {
    /// Gives the next piece of input, which is valid until the next call; an empty one ends it. Without it: no input.
    std::function<Result<std::string_view>()> next_input{};
    std::function<Result<void>(std::string_view)> take_output{};
};

/// run_program() for more data than memory should hold; `output` stays empty, and what stderr says is in `errors`. An
/// error of `streams` kills the program and is returned. A program that ends without having read all of its input is no
/// error: its status says what that means.
Result<Outcome> pipe_program(const std::vector<std::string>& arguments, const Streams& streams,
                             std::chrono::seconds limit, const std::vector<std::string>& environment = {});

} // namespace commento
