#include "notify/ending.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fmt/format.h>

namespace commento {
namespace {

bool is_ours(const std::string& unit) {
    constexpr std::string_view kPlain = "-@_";
    return unit.starts_with("commento") && std::ranges::all_of(unit, [&](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0 || kPlain.find(c) != std::string_view::npos;
           });
}

} // namespace

Result<Ending> ending_of(const std::string& unit, const std::function<const char*(const char*)>& variable) {
    if (!is_ours(unit))
        return fail(ErrorCode::settings, fmt::format("\"{}\" is no name of a unit of commento-stack", unit));
    const auto text = [&](const char* name) {
        const char* value = variable(name);
        return std::string(value == nullptr ? "" : value);
    };
    Ending ending{unit, text("MONITOR_SERVICE_RESULT"), text("MONITOR_EXIT_CODE"), text("MONITOR_EXIT_STATUS"),
                  text("MONITOR_INVOCATION_ID")};
    if (ending.result.empty())
        return fail(ErrorCode::settings, fmt::format("systemd does not say how {}.service ended", unit),
                    "its OnFailure= and OnSuccess= start this; on trial: commentoctl notify test");
    return ending;
}

bool went_well(const Ending& ending) {
    return ending.result == "success" && ending.code == "exited" && ending.status == "0";
}

bool was_stopped(const Ending& ending) {
    return ending.code == "killed" && ending.status == "TERM" && ending.result != "timeout";
}

int exit_status(const Ending& ending) {
    int status = -1;
    if (ending.code == "exited")
        std::from_chars(ending.status.data(), ending.status.data() + ending.status.size(), status);
    return status;
}

} // namespace commento
