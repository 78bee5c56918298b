#include "ctl/actions.hpp"

#include "base/printable.hpp"
#include "base/process.hpp"
#include "base/translate.hpp"
#include "base/units.hpp"
#include "ctl/journal.hpp"
#include "ctl/output.hpp"

#include <chrono>
#include <fmt/format.h>
#include <iostream>
#include <unistd.h>

namespace commento {
namespace {

constexpr const char* kTarget = "commento.target";
// Longer than any unit of ours may take (TimeoutStartSec=), so that systemd's own limit ends the wait.
constexpr std::chrono::hours kLimit{25};

tl::unexpected<Error> failure_of(const std::string& unit, const UnitState& state, const Follower& follower) {
    if (const auto words = follower.error())
        return fail(code_of(state.exit_status), words->message, words->hint);
    return fail(state.result == "exit-code" ? code_of(state.exit_status) : ErrorCode::internal,
                tr("{} failed: {}", unit, state.result), fmt::format("journalctl -u {}", unit));
}

/// What a program of ours wrote to stderr: what it logged, and the report of its error, which comes last.
struct Told {
    std::string log;
    std::string report;
};

Told split_errors(const std::string& text) {
    constexpr std::string_view kMark = "error: "; // as set_up_log() of base/log.cpp has it
    const auto at = text.starts_with(kMark) ? 0 : text.find(fmt::format("\n{}", kMark));
    if (at == std::string::npos)
        return {text, {}};
    const auto begin = text.find(kMark, at);
    return {text.substr(0, begin), text.substr(begin + kMark.size())};
}

tl::unexpected<Error> failure_of(const std::string& program, const Outcome& outcome, const std::string& report) {
    if (report.empty())
        return fail(ErrorCode::internal, tr("{} ended with status {}", program, outcome.status));
    LastWords words = split_report(report.substr(0, report.find_last_not_of('\n') + 1));
    return fail(code_of(outcome.status), std::move(words.message), std::move(words.hint));
}

} // namespace

Result<void> require_root(const std::string& command) {
    if (::geteuid() == 0)
        return {};
    return fail(ErrorCode::permission, tr("only root can do this: {}", command), "sudo " + command);
}

Result<void> run_helper(const std::string& unit) {
    COMMENTO_ASSIGN(Units units, Units::connect());
    // An operator who tries again and again is no runaway service.
    COMMENTO_CHECK(units.reset_failed(unit));
    COMMENTO_ASSIGN(Follower follower, Follower::begin({unit}));
    COMMENTO_ASSIGN(const std::string result,
                    units.run_job("StartUnit", unit, kLimit, {follower.fd(), [&] { follower.show_new(); }}));
    follower.show_rest();
    COMMENTO_ASSIGN(const UnitState state, units.state(unit));
    if (result == "done")
        return {};
    if (result == "failed")
        return failure_of(unit, state, follower);
    return fail(ErrorCode::internal, tr("systemd did not run {}: {}", unit, result),
                fmt::format("systemctl status {}", unit));
}

Result<void> await_run(const std::string& unit) {
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_ASSIGN(const UnitState state, units.state(unit));
    const bool ends = state.active == "deactivating"; // and a start would be another run
    if (!ends && state.active != "activating")
        return {};
    say(tr("waiting for {}, which is at work", unit));
    COMMENTO_CHECK(units.run_job(ends ? "StopUnit" : "StartUnit", unit, kLimit)); // it joins that run, or its end
    return {};
}

Result<void> await_application(const std::string& way_back) {
    constexpr const char* kApplication = "commento.service";
    constexpr std::chrono::minutes kStartLimit{3};
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_ASSIGN(const std::string result, units.run_job("StartUnit", kApplication, kStartLimit));
    if (result == "done")
        return {};
    return fail(ErrorCode::application, tr("the application does not come up: {}", result),
                fmt::format("journalctl -u {}; {}", kApplication, way_back));
}

Result<std::string> call_helper(const Paths& paths, const std::string& helper, std::vector<std::string> arguments,
                                std::chrono::seconds patience) {
    constexpr std::size_t kMost = 64U << 20U; // a certificate is about a kilobyte of JSON
    arguments.insert(arguments.begin(), paths.helper(helper).string());
    COMMENTO_ASSIGN(Outcome outcome, run_program(arguments, patience, {}, Stderr::apart, kMost));
    const auto [log, report] = split_errors(harmless(outcome.errors));
    std::cerr << log;
    if (outcome.status != 0)
        return failure_of(helper, outcome, report);
    return std::move(outcome.output);
}

Result<void> start_stack(Begin how, const std::vector<std::string>& units_to_show) {
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_CHECK(units.enable(kTarget));
    COMMENTO_ASSIGN(Follower follower, Follower::begin(units_to_show));
    // A restart reaches, through PartOf=, what runs with the former settings; it starts what does not run.
    const char* method = how == Begin::restart ? "RestartUnit" : "StartUnit";
    COMMENTO_ASSIGN(const std::string result,
                    units.run_job(method, kTarget, kLimit, {follower.fd(), [&] { follower.show_new(); }}));
    follower.show_rest();
    if (result != "done")
        return fail(ErrorCode::internal, tr("systemd did not start {}: {}", kTarget, result),
                    fmt::format("systemctl status {}", kTarget));
    return {};
}

} // namespace commento
