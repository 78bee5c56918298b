#pragma once
// The one error model: libraries return Result, programs report the Error once (program.hpp) and exit with its code.

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace commento {

/// What kind of thing failed; the number is the program's exit status.
enum class ErrorCode : int {
#define EXIT_CODE(name, number, meaning) name = (number),
#include "base/exit_codes.def"
#undef EXIT_CODE
};

struct Error {
    ErrorCode code;
    std::string message; ///< what failed, on what; may be several lines when several things are wrong
    std::string hint;    ///< what the operator can do
};

template <typename T>
using Result = tl::expected<T, Error>;

/// The name of a code as in exit_codes.def.
std::string_view name_of(ErrorCode code);

/// What a code means, as in the manual pages: a sentence.
std::string_view meaning_of(ErrorCode code);

/// The code behind a program's exit status; internal where the status is none of ours.
ErrorCode code_of(int exit_status);

inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
    return tl::unexpected<Error>(Error{code, std::move(message), std::move(hint)});
}

/// fail() with the text of errno appended to the message.
tl::unexpected<Error> fail_errno(ErrorCode code, std::string_view message, int number, std::string hint = {});

} // namespace commento

#define COMMENTO_JOIN_INNER(a, b) a##b
#define COMMENTO_JOIN(a, b) COMMENTO_JOIN_INNER(a, b)

/// Evaluates a Result; returns its error from the calling function, or goes on.
#define COMMENTO_CHECK(...)                                                                                            \
    if (auto COMMENTO_JOIN(checked_, __LINE__) = (__VA_ARGS__); !COMMENTO_JOIN(checked_, __LINE__))                    \
    return tl::unexpected(std::move(COMMENTO_JOIN(checked_, __LINE__)).error())

/// COMMENTO_ASSIGN(auto text, read_file(…)): the value, or return the error from the calling function.
#define COMMENTO_ASSIGN(declaration, ...)                                                                              \
    auto COMMENTO_JOIN(result_, __LINE__) = (__VA_ARGS__);                                                             \
    if (!COMMENTO_JOIN(result_, __LINE__))                                                                             \
        return tl::unexpected(std::move(COMMENTO_JOIN(result_, __LINE__)).error());                                    \
    declaration = *std::move(COMMENTO_JOIN(result_, __LINE__))
