#include "cert/view.hpp"

#include "acme/json.hpp"
#include "base/clock.hpp"
#include "cert/advice.hpp"
#include "cert/due.hpp"
#include "cert/history.hpp"
#include "cert/limits.hpp"
#include "cert/renew.hpp"
#include "cert/store.hpp"

namespace commento {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kDay = 86400;

std::string state_of(const std::optional<Generation>& live, const Wanted& wanted, std::int64_t moment) {
    if (!live)
        return "missing";
    if (live->revoked)
        return "revoked";
    if (moment >= live->not_after)
        return "expired";
    const bool placeholder = live->facts.origin.source == Source::self_signed && wanted.source == Source::acme;
    return placeholder ? "placeholder" : "valid";
}

Json source_of(const Generation& live) {
    switch (live.facts.origin.source) {
    case Source::self_signed:
        return "self-signed";
    case Source::files:
        return "files";
    case Source::acme:
        break;
    }
    return "acme";
}

Json describe_failures(const Site& site, std::int64_t moment) {
    Json failures = Json::array();
    for (const auto& failure : all_failures(site.state))
        failures.push_back({{"directory", failure.request.directory},
                            {"message", failure.message},
                            {"failed_at", utc_time(failure.failed_at)},
                            {"failures", failure.failures},
                            {"next_try", holds_back(failure, moment) ? Json(utc_time(failure.next_try)) : Json()}});
    return failures;
}

Json describe_advice(const std::optional<Advice>& advice) {
    if (!advice || advice->start == 0)
        return nullptr;
    return {{"start", utc_time(advice->start)},
            {"end", utc_time(advice->end)},
            {"chosen", utc_time(advice->chosen)},
            {"explanation", advice->explanation.empty() ? Json() : Json(advice->explanation)}};
}

Json describe_live(const Site& site, const Generation& live, std::int64_t moment) {
    const auto advice = last_advice(site, live);
    return {{"names", live.names},
            {"issuer", live.issuer},
            {"serial", live.serial},
            {"fingerprint", live.fingerprint},
            {"key_type", live.key_type},
            {"source", source_of(live)},
            {"directory", live.facts.origin.directory},
            {"profile", live.facts.profile},
            {"not_before", utc_time(live.not_before)},
            {"not_after", utc_time(live.not_after)},
            {"days_left", (live.not_after - moment) / kDay},
            {"renewal", utc_time(renewal_time(live, advice))},
            {"renewal_window", describe_advice(advice)},
            {"generation", live.name}};
}

/// Why no order but a renewal's would be made now; of the authority that is asked first.
Json describe_limit(const Paths& paths, const Wanted& wanted, std::int64_t moment) {
    if (wanted.source != Source::acme || wanted.directories.empty())
        return nullptr;
    const auto free = Limits::load(paths, wanted.directories.front()).check(wanted.names, moment);
    return free ? Json() : Json(free.error().message);
}

Json describe(const Paths& paths, const Site& site) {
    const std::int64_t moment = now();
    const auto live = published(site.store);
    const Wanted wanted = wanted_by(site);
    const auto spare = find_set_aside(site.store);
    const std::string due = why_due(live, wanted, live ? last_advice(site, *live) : std::nullopt, moment);
    const bool follows_files = site.name == kMain && site.settings->text("TLS_MODE") == "files";
    Json described = {{"name", site.name},
                      {"state", state_of(live, wanted, moment)},
                      {"wanted_names", wanted.names},
                      {"due", due.empty() || follows_files ? Json() : Json(due)},
                      {"folder", site.store.live().string()}};
    described.update(live ? describe_live(site, *live, moment) : Json::object());
    described["set_aside"] = spare ? Json(spare->generation.name) : Json();
    described["failures"] = describe_failures(site, moment);
    described["limit"] = describe_limit(paths, wanted, moment);
    return described;
}

} // namespace

Result<std::string> describe_certificates(const Paths& paths, const std::vector<std::string>& names) {
    COMMENTO_ASSIGN(const auto sites, sites_named(paths, names));
    Json all = Json::array();
    for (const auto& [name, site] : sites)
        all.push_back(site ? describe(paths, *site)
                           : Json{{"name", name}, {"state", "faulty settings"}, {"due", site.error().message}});
    return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace commento
