#include "base/error.hpp"

#include <fmt/format.h>
#include <system_error>

namespace commento {

std::string_view name_of(ErrorCode code) {
    switch (code) {
#define EXIT_CODE(name, number, meaning)                                                                               \
    case ErrorCode::name:                                                                                              \
        return #name;
#include "base/exit_codes.def"
#undef EXIT_CODE
    }
    return "internal";
}

std::string_view meaning_of(ErrorCode code) {
    switch (code) {
#define EXIT_CODE(name, number, meaning)                                                                               \
    case ErrorCode::name:                                                                                              \
        return meaning;
#include "base/exit_codes.def"
#undef EXIT_CODE
    }
    return "";
}

ErrorCode code_of(int exit_status) {
    switch (exit_status) {
#define EXIT_CODE(name, number, meaning)                                                                               \
    case number:                                                                                                       \
        return ErrorCode::name;
#include "base/exit_codes.def"
#undef EXIT_CODE
    default:
        return ErrorCode::internal;
    }
}

tl::unexpected<Error> fail_errno(ErrorCode code, std::string_view message, int number, std::string hint) {
    return fail(code, fmt::format("{}: {}", message, std::generic_category().message(number)), std::move(hint));
}

} // namespace commento
