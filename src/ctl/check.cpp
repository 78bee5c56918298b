#include "ctl/check.hpp"

#include "base/clock.hpp"
#include "base/translate.hpp"
#include "ctl/actions.hpp"
#include "ctl/installed_units.hpp"
#include "proof/dns_name.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace commento {
namespace {

using nlohmann::json;

Result<json> listed(const Paths& paths, const char* helper, std::vector<std::string> words) {
    COMMENTO_ASSIGN(const std::string text, call_helper(paths, helper, std::move(words)));
    json parsed = json::parse(text, nullptr, false);
    if (parsed.is_discarded())
        return fail(ErrorCode::internal, tr("{} printed no JSON", helper));
    return parsed;
}

Result<HttpResponse> ask_authority(const Settings& settings) {
    constexpr std::chrono::seconds kPatience{10};
    HttpClient client({.connect = kPatience, .total = kPatience});
    if (!settings.text("ACME_CA_FILE").empty())
        client.trust_only(settings.text("ACME_CA_FILE"));
    return client.send({.url = settings.acme_directory()});
}

std::string known_groups() {
    std::vector<std::string> groups;
    for (const auto& check : all_checks()) {
        if (groups.empty() || groups.back() != group_of(check))
            groups.push_back(group_of(check));
    }
    return tr("groups: {}; commentoctl doctor --list names each check", fmt::join(groups, ", "));
}

} // namespace

CheckedHost::CheckedHost(const Paths& paths) : paths_(paths) {}

CheckedHost::CheckedHost(const Paths& paths, Settings candidate) : paths_(paths), candidate_(std::move(candidate)) {}

const Facts& CheckedHost::facts() {
    if (!facts_)
        facts_.emplace(find_facts(paths_));
    return *facts_;
}

const Settings& CheckedHost::settings() {
    if (!candidate_)
        candidate_ = facts().settings ? facts().settings->settings : Settings::examine("", "", paths_).settings;
    return *candidate_;
}

Result<Units>& CheckedHost::units() {
    if (!units_)
        units_.emplace(Units::connect());
    return *units_;
}

const std::map<std::string, UnitState>& CheckedHost::unit_states() {
    if (unit_states_)
        return *unit_states_;
    unit_states_.emplace();
    for (const auto& name : installed_units(paths_)) {
        if (!name.starts_with("commento") || name.find("@.") != std::string::npos || !units())
            continue;
        if (auto state = units()->state(name))
            unit_states_->emplace(name, *std::move(state));
    }
    return *unit_states_;
}

const Result<json>& CheckedHost::certificates() {
    if (!certificates_)
        certificates_.emplace(listed(paths_, "commento-cert", {"list"}));
    return *certificates_;
}

const Result<json>& CheckedHost::backups() {
    if (!backups_)
        backups_.emplace(listed(paths_, "commento-db", {"backup", "list"}));
    return *backups_;
}

const Result<HttpResponse>& CheckedHost::directory() {
    if (!directory_) {
        directory_.emplace(ask_authority(settings()));
        directory_asked_at_ = now();
    }
    return *directory_;
}

Result<DnsAnswer> CheckedHost::ask_dns(const std::string& name, RecordType type) {
    const auto known = answers_.find({name, type});
    if (known != answers_.end())
        return known->second;
    if (mute_)
        return tl::unexpected(*mute_);
    if (!resolvers_)
        resolvers_ = host_resolvers(paths_);
    Error last{ErrorCode::network, tr("/etc/resolv.conf names no resolver"), ""};
    std::vector<DnsServer> talking;
    for (const auto& resolver : *resolvers_) {
        auto answer = resolver.ask(name + '.', type);
        if (answer && answer->is_about_name())
            return answers_.insert({{name, type}, *std::move(answer)}).first->second;
        last = answer ? Error{ErrorCode::network, tr("{} refuses the question for {}", resolver.place(), name), ""}
                      : answer.error();
        if (answer)
            talking.push_back(resolver);
    }
    // One that is silent would be waited for at each question.
    resolvers_ = std::move(talking);
    if (resolvers_->empty())
        mute_ = last;
    return tl::unexpected(std::move(last));
}

std::string group_of(const Check& check) {
    const std::string name(check.name);
    return name.substr(0, name.find('.'));
}

std::vector<Check> all_checks() {
    std::vector<Check> all;
    for (const auto part : {settings_checks(), name_checks(), host_checks(), web_checks(), certificate_checks(),
                            data_checks(), unit_checks()})
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

std::vector<Check> checks_before_start() {
    std::vector<Check> all(name_checks().begin(), name_checks().end());
    all.insert(all.end(), free_port_checks().begin(), free_port_checks().end());
    return all;
}

Result<std::vector<Check>> checks_named(const std::vector<std::string>& words) {
    std::vector<Check> chosen;
    std::set<std::string> unknown(words.begin(), words.end());
    for (const auto& check : all_checks()) {
        const auto fits = [&](const std::string& word) { return word == check.name || word == group_of(check); };
        if (words.empty() || std::ranges::any_of(words, fits))
            chosen.push_back(check);
        std::erase_if(unknown, fits);
    }
    if (!unknown.empty())
        return fail(ErrorCode::settings, tr("no check is called {}", fmt::join(unknown, ", ")), known_groups());
    return chosen;
}

} // namespace commento
