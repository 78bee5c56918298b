#include "ctl/domain_plan.hpp"

#include "base/files.hpp"
#include "base/translate.hpp"
#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace commento {
namespace {

constexpr std::array kKeys{"DOMAIN", "TLS_NAMES", "REDIRECT_NAMES", "COMMENTO_ORIGIN", "COMMENTO_CDN_PREFIX"};

std::string without(std::string_view names, const std::string& name) {
    std::vector<std::string> words = words_in(names);
    std::erase_if(words, [&](const std::string& word) { return canonical_name(word) == name; });
    return fmt::format("{}", fmt::join(words, " "));
}

/// A list with a name in front of the others.
std::string begun_with(const std::string& name, const std::string& names) {
    const std::string others = without(names, name);
    return others.empty() ? name : name + " " + others;
}

/// An address with another host, where it has the one; its port and path stay.
std::string with_host(const std::string& address, const std::string& from, const std::string& to) {
    const auto scheme = address.find("://");
    if (scheme == std::string::npos)
        return address;
    const auto begin = scheme + 3;
    const auto end = std::min(address.find_first_of(":/?#", begin), address.size());
    return canonical_name(address.substr(begin, end - begin)) == from
               ? address.substr(0, begin) + to + address.substr(end)
               : address;
}

std::string_view name_of(DomainPhase phase) {
    return phase == DomainPhase::certificate ? "certificate" : "application";
}

struct Service {
    const char* key;
    const char* name;
    const char* path;
};

constexpr std::array kServices{
    Service{"COMMENTO_GOOGLE_KEY", "Google", "google"},
    Service{"COMMENTO_GITHUB_KEY", "GitHub", "github"},
    Service{"COMMENTO_GITLAB_KEY", "GitLab", "gitlab"},
    Service{"COMMENTO_TWITTER_KEY", "Twitter", "twitter"},
};

} // namespace

KeyValues domain_keys(const Settings& settings) {
    KeyValues values;
    for (const char* key : kKeys)
        values[key] = settings.text(key);
    return values;
}

KeyValues with_both_names(const KeyValues& before, const std::string& to) {
    KeyValues values = before;
    values["TLS_NAMES"] = without(before.at("TLS_NAMES"), to);
    values["REDIRECT_NAMES"] = begun_with(to, before.at("REDIRECT_NAMES"));
    return values;
}

KeyValues with_new_domain(const KeyValues& before, const std::string& to) {
    const std::string from = canonical_name(before.at("DOMAIN"));
    KeyValues values = before;
    values["DOMAIN"] = to;
    values["TLS_NAMES"] = without(before.at("TLS_NAMES"), to);
    values["REDIRECT_NAMES"] = begun_with(from, without(before.at("REDIRECT_NAMES"), to));
    for (const char* key : {"COMMENTO_ORIGIN", "COMMENTO_CDN_PREFIX"})
        values[key] = with_host(before.at(key), from, to);
    return values;
}

Result<SettingsFiles> with_values(const SettingsFiles& files, const KeyValues& values, const Paths& paths) {
    std::vector<Wish> wishes;
    for (const auto& [key, value] : values)
        wishes.push_back({"commentoctl domain", key, value});
    return plan_setup(files, wishes, paths).map([](Plan plan) { return std::move(plan.files); });
}

Result<SettingsFiles> without_change(const SettingsFiles& present, const DomainChange& change, const Paths& paths) {
    const SettingsFiles former{change.text, present.secrets};
    COMMENTO_ASSIGN(const SettingsFiles both, with_values(former, with_both_names(change.before, change.to), paths));
    const KeyValues after = with_new_domain(change.before, change.to);
    COMMENTO_ASSIGN(const SettingsFiles by_both, with_values(both, after, paths));
    COMMENTO_ASSIGN(const SettingsFiles at_once, with_values(former, after, paths));
    for (const auto& ours : {former, both, by_both, at_once}) {
        if (present.settings == ours.settings)
            return former;
    }
    return with_values(present, change.before, paths);
}

bool covers(const std::vector<std::string>& names, const std::string& name) {
    const auto dot = name.find('.');
    const std::string wildcard = dot == std::string::npos ? "" : "*" + name.substr(dot);
    return std::ranges::any_of(names, [&](const std::string& each) {
        const std::string form = canonical_name(each);
        return form == name || form == wildcard;
    });
}

std::vector<std::string> chores_after(const Settings& settings) {
    std::vector<std::string> chores;
    for (const auto& service : kServices) {
        if (!settings.text(service.key).empty())
            chores.push_back(tr("tell {} the new callback address: {}/api/oauth/{}/callback", service.name,
                                settings.origin(), service.path));
    }
    return chores;
}

std::string to_text(const DomainRecord& record) {
    constexpr int kIndent = 2;
    nlohmann::json json{{"former", record.former}};
    if (const auto& change = record.change)
        json["change"] = {{"from", change->from},
                          {"to", change->to},
                          {"phase", name_of(change->phase)},
                          {"before", change->before},
                          {"text", change->text}};
    return json.dump(kIndent) + "\n";
}

Result<DomainRecord> parse_domain_record(std::string_view text) {
    DomainRecord record;
    try {
        const auto json = nlohmann::json::parse(text);
        record.former = json.at("former").get<std::string>();
        if (json.contains("change")) {
            const auto& change = json.at("change");
            record.change =
                DomainChange{change.at("from"), change.at("to"),
                             change.at("phase") == name_of(DomainPhase::certificate) ? DomainPhase::certificate
                                                                                     : DomainPhase::application,
                             change.at("before").get<KeyValues>(), change.at("text")};
            for (const char* key : kKeys)
                std::ignore = record.change->before.at(key);
        }
    } catch (const std::exception& fault) {
        return fail(ErrorCode::storage, tr("not a record of commentoctl domain: {}", fault.what()));
    }
    return record;
}

Result<DomainRecord> read_domain_record(const Paths& paths) {
    const auto file = paths.domain_change();
    if (!std::filesystem::exists(file))
        return DomainRecord{};
    COMMENTO_ASSIGN(const std::string text, read_file(file));
    return parse_domain_record(text).map_error([&](Error error) {
        error.message = fmt::format("{}: {}", file.string(), error.message);
        error.hint =
            tr("it only tells what to go back to; remove it, and look at DOMAIN and REDIRECT_NAMES in the settings");
        return error;
    });
}

Result<void> write_domain_record(const DomainRecord& record, const Paths& paths) {
    constexpr mode_t kFolder = 0755;
    constexpr mode_t kFile = 0644;
    COMMENTO_CHECK(make_folder(paths.domain(), kFolder));
    return write_file(paths.domain_change(), to_text(record), kFile);
}

} // namespace commento
