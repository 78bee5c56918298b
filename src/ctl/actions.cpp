#include "ctl/actions.hpp"

#include "base/units.hpp"
#include "ctl/journal.hpp"

#include <chrono>
#include <fmt/format.h>

namespace commento {
namespace {

constexpr const char* kTarget = "commento.target";
// Longer than any unit of ours may take (TimeoutStartSec=), so that systemd's own limit ends the wait.
constexpr std::chrono::minutes kLimit{60};

tl::unexpected<Error> failure_of(const std::string& unit, const UnitState& state, const Follower& follower) {
    if (const auto words = follower.error())
        return fail(code_of(state.exit_status), words->message, words->hint);
    return fail(state.result == "exit-code" ? code_of(state.exit_status) : ErrorCode::internal,
                fmt::format("{} failed: {}", unit, state.result), fmt::format("journalctl -u {}", unit));
}

} // namespace

Result<void> run_helper(const std::string& unit) {
    COMMENTO_ASSIGN(Units units, Units::connect());
    // An operator who tries again and again is no runaway service.
    COMMENTO_CHECK(units.reset_failed(unit));
    COMMENTO_ASSIGN(Follower follower, Follower::begin(unit));
    COMMENTO_ASSIGN(const std::string result,
                    units.run_job("StartUnit", unit, kLimit, {follower.fd(), [&] { follower.show_new(); }}));
    follower.show_rest();
    COMMENTO_ASSIGN(const UnitState state, units.state(unit));
    if (result == "done")
        return {};
    if (result == "failed")
        return failure_of(unit, state, follower);
    return fail(ErrorCode::internal, fmt::format("systemd did not run {}: {}", unit, result),
                fmt::format("systemctl status {}", unit));
}

Result<void> start_stack(Begin how) {
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_CHECK(units.enable(kTarget));
    // A restart reaches, through PartOf=, what runs with the former settings; it starts what does not run.
    const char* method = how == Begin::restart ? "RestartUnit" : "StartUnit";
    COMMENTO_ASSIGN(const std::string result, units.run_job(method, kTarget, kLimit));
    if (result != "done")
        return fail(ErrorCode::internal, fmt::format("systemd did not start {}: {}", kTarget, result),
                    fmt::format("systemctl status {}", kTarget));
    return {};
}

} // namespace commento
