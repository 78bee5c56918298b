#include "proof/dns_hook.hpp"

#include "base/printable.hpp"
#include "base/process.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace commento {
namespace {

constexpr std::chrono::minutes kLimit{5};

Result<void> check_program(std::string_view key, const std::string& program) {
    std::error_code fault;
    if (std::filesystem::is_directory(program, fault))
        return fail(ErrorCode::settings, fmt::format("{}: {} is a folder", key, program));
    if (::access(program.c_str(), X_OK) != 0)
        return fail_errno(ErrorCode::settings, fmt::format("{}: cannot run {}", key, program), errno,
                          "the user commento-cert must be allowed to run it");
    return {};
}

std::string stripped(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n\v\f";
    const auto first = text.find_first_not_of(kSpace);
    return first == std::string_view::npos ? std::string()
                                           : std::string(text.substr(first, text.find_last_not_of(kSpace) + 1 - first));
}

/// What it said, where it failed: the last that comes there is the reason.
std::string words_of(const Outcome& outcome) {
    constexpr std::size_t kMost = 500;
    std::string words = stripped(outcome.errors.empty() ? outcome.output : outcome.errors);
    if (words.empty())
        return "it printed nothing";
    if (words.size() > kMost)
        words = "..." + words.substr(words.size() - kMost);
    return "it printed: " + printable(std::move(words));
}

/// The standard output. Fails where the program does.
Result<std::string> call(const std::string& program, const std::vector<std::string>& environment,
                         const std::string& name) {
    const std::string hint = "it is called as certbot calls its manual hooks; run it by hand with CERTBOT_DOMAIN and "
                             "CERTBOT_VALIDATION set";
    const auto outcome = run_program({program}, kLimit, environment, Stderr::apart);
    if (!outcome)
        return fail(ErrorCode::network, fmt::format("{} for {}: {}", program, name, outcome.error().message), hint);
    if (outcome->status != 0)
        return fail(
            ErrorCode::network,
            fmt::format("{} for {} ended with status {}; {}", program, name, outcome->status, words_of(*outcome)),
            hint);
    return stripped(outcome->output);
}

std::vector<std::string> environment_for(std::span<const Challenge> challenges, std::size_t at) {
    std::vector<std::string> names;
    for (const auto& challenge : challenges)
        names.push_back(challenge.name);
    return {"CERTBOT_DOMAIN=" + challenges[at].name, "CERTBOT_VALIDATION=" + record_of(challenges[at]),
            fmt::format("CERTBOT_ALL_DOMAINS={}", fmt::join(names, ",")),
            fmt::format("CERTBOT_REMAINING_CHALLENGES={}", challenges.size() - at - 1)};
}

} // namespace

Result<void> DnsHook::check(const std::vector<std::string>& /*names*/) {
    COMMENTO_CHECK(check_program("ACME_DNS_HOOK", add_));
    if (!remove_.empty())
        COMMENTO_CHECK(check_program("ACME_DNS_CLEANUP_HOOK", remove_));
    return {};
}

Result<void> DnsHook::show(std::span<const Challenge> challenges) {
    for (std::size_t i = 0; i < challenges.size(); ++i) {
        // Before the call: one that fails may leave something, too.
        calls_.push_back(environment_for(challenges, i));
        const auto output = call(add_, calls_.back(), challenges[i].name);
        calls_.back().push_back("CERTBOT_AUTH_OUTPUT=" + output.value_or(""));
        if (!output)
            return tl::unexpected(output.error());
    }
    return {};
}

DnsHook::~DnsHook() {
    for (; !remove_.empty() && !calls_.empty(); calls_.pop_back()) {
        const auto& environment = calls_.back();
        const std::string name = environment.front().substr(environment.front().find('=') + 1);
        if (const auto done = call(remove_, environment, name); !done)
            spdlog::warn("{}; ignoring it", done.error().message);
    }
}

} // namespace commento
