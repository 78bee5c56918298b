// The certificate, its renewal, and the authority.

#include "base/clock.hpp"
#include "base/journal.hpp"
#include "base/translate.hpp"
#include "ctl/check.hpp"
#include "ctl/domain_plan.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace commento {
namespace {

using nlohmann::json;

constexpr const char* kMain = "main";

Remedy renew() { return safely({"commentoctl", "cert", "renew"}); }

std::string text_at(const json& object, const char* name) {
    return object.contains(name) && object.at(name).is_string() ? object.at(name).get<std::string>() : "";
}

/// `main` as commento-cert lists it; null where it does not.
json main_certificate(CheckedHost& host) {
    const auto& all = host.certificates();
    for (const auto& each : all ? *all : json::array()) {
        if (text_at(each, "name") == kMain)
            return each;
    }
    return nullptr;
}

/// Why the authority is not asked for it before some moment, by what it said last; empty where it may be.
std::string pause_of(const json& certificate) {
    for (const auto& failure : certificate.value("failures", json::array())) {
        if (!text_at(failure, "next_try").empty())
            return tr("asked again from {} on, after {} failures: {}", text_at(failure, "next_try"),
                      failure.value("failures", 0), text_at(failure, "message"));
    }
    return {};
}

Remedy after_pause(const std::vector<std::string>& names) {
    return advise(
        tr("mend what the message says; then: sudo commentoctl cert renew --force {}", fmt::join(names, " ")));
}

Finding look_at_state(CheckedHost& host) {
    if (const auto& all = host.certificates(); !all)
        return fault(all.error().message, advise(all.error().hint));
    const json main = main_certificate(host);
    const std::string state = main.is_object() ? text_at(main, "state") : "missing";
    if (state == "valid")
        return ok(tr("issued by {}", text_at(main, "issuer")));
    if (state == "placeholder")
        return fault(tr("only the placeholder that was made here; browsers warn of it"), renew());
    if (state == "faulty settings")
        return fault(tr("it is not known which one is wanted: the settings are faulty"),
                     by_hand({"commentoctl", "setup"}));
    return fault(tr("it is {}", state), renew());
}

Finding look_at_validity(CheckedHost& host) {
    const auto& certificate = host.facts().certificate;
    if (!certificate)
        return skipped(certificate.error().message);
    constexpr std::int64_t kDay = 86400;
    const std::int64_t left = certificate->not_after - now();
    const std::int64_t lifetime = certificate->not_after - certificate->not_before;
    const std::string saw = tr("ends {}, in {} days", local_time(certificate->not_after), left / kDay);
    if (left <= 0)
        return fault(tr("ended {}", local_time(certificate->not_after)), renew());
    // Renewals begin when a third is left, and go on for as long as they fail.
    constexpr std::int64_t kTooLate = 6;
    return left < lifetime / kTooLate ? warning(saw, renew()) : ok(saw);
}

Finding look_at_names(CheckedHost& host) {
    const auto& certificate = host.facts().certificate;
    if (!certificate)
        return skipped(certificate.error().message);
    std::vector<std::string> missing;
    for (const auto& name : host.settings().certificate_names()) {
        if (!covers(certificate->names, name))
            missing.push_back(name);
    }
    if (missing.empty())
        return ok(fmt::format("{}", fmt::join(certificate->names, " ")));
    // nginx has to answer the authority's questions for a new name, too.
    return fault(tr("it is not for {}", fmt::join(missing, ", ")), safely({"commentoctl", "restart"}));
}

Finding look_at_renewal(CheckedHost& host) {
    const Facts& facts = host.facts();
    const Remedy start = safely({"systemctl", "start", "commento-cert-renew.timer"});
    if (!facts.timer || !facts.renew)
        return skipped(tr("systemd does not say"));
    if (facts.timer->state.active != "active")
        return fault(tr("commento-cert-renew.timer is {}: nothing is renewed", facts.timer->state.active), start);
    const std::string& result = facts.renew->state.result;
    if (result.empty() || result == "success")
        return ok(tr("last run {}", local_time(facts.renew->state.since)));
    const auto& words = facts.renew->failure;
    return fault(words ? words->message : tr("the last run failed: {}", result), renew());
}

Finding look_at_further(CheckedHost& host) {
    const auto& all = host.certificates();
    if (!all)
        return fault(all.error().message, advise(all.error().hint));
    std::string wrong;
    std::vector<std::string> paused; // of those
    std::size_t count = 0;
    for (const auto& each : *all) {
        if (text_at(each, "name") == kMain)
            continue;
        ++count;
        if (text_at(each, "state") == "valid")
            continue;
        wrong += fmt::format("{}{} ({})", wrong.empty() ? "" : ", ", text_at(each, "name"), text_at(each, "state"));
        if (!pause_of(each).empty())
            paused.push_back(text_at(each, "name"));
    }
    if (!wrong.empty())
        return fault(tr("not valid: {}", wrong), paused.empty() ? renew() : after_pause(paused));
    return count == 0 ? skipped(tr("no further certificate is asked for")) : ok(tr("{} further ones are valid", count));
}

// --- authority ---

bool asks_authority(CheckedHost& host) { return host.settings().text("TLS_MODE") == "acme"; }

constexpr const char* kNoAuthority = msgid("no authority is asked for a certificate");

Finding look_at_directory(CheckedHost& host) {
    constexpr int kOk = 200;
    if (!asks_authority(host))
        return skipped(translated(kNoAuthority));
    const auto& answer = host.directory();
    const std::string address = host.settings().acme_directory();
    const Remedy look = advise(tr("curl -v {} shows where it ends: a packet filter, a proxy, DNS", address));
    if (!answer)
        return fault(answer.error().message, look);
    if (answer->status == kOk)
        return ok(tr("{} answers", address));
    return fault(tr("{} answers with status {}", address, answer->status), look);
}

/// Until then it is not asked again: its limits, or what it said. Further certificates always come from an authority.
Finding look_at_pause(CheckedHost& host) {
    const auto& all = host.certificates();
    if (!all)
        return skipped(all.error().message);
    std::string saw;
    std::vector<std::string> paused;
    bool asks = false;
    for (const auto& each : *all) {
        const std::string name = text_at(each, "name");
        if (name == kMain && !asks_authority(host))
            continue;
        asks = true;
        const std::string pause = pause_of(each);
        const std::string why = pause.empty() ? text_at(each, "limit") : pause;
        if (!why.empty())
            saw += fmt::format("{}{}: {}", saw.empty() ? "" : "\n", name, why);
        if (!pause.empty())
            paused.push_back(name);
    }
    if (!paused.empty())
        return warning(saw, after_pause(paused));
    if (!saw.empty())
        return warning(saw, advise(tr("wait until then: an authority whose limit is reached refuses --force, too")));
    return asks ? ok(tr("nothing holds a request back")) : skipped(translated(kNoAuthority));
}

constexpr std::array kChecks{
    Check{"certificate.state", msgid("There is a certificate"), look_at_state},
    Check{"certificate.validity", msgid("It is valid for long enough"), look_at_validity},
    Check{"certificate.names", msgid("It is for all names"), look_at_names},
    Check{"certificate.renewal", msgid("It is renewed by itself"), look_at_renewal},
    Check{"certificate.further", msgid("Further certificates are valid"), look_at_further},
    Check{"authority.directory", msgid("The authority can be reached"), look_at_directory},
    Check{"authority.limits", msgid("The authority may be asked"), look_at_pause},
};

} // namespace

std::span<const Check> certificate_checks() { return kChecks; }

} // namespace commento
