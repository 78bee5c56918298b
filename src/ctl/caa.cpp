#include "ctl/caa.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace commento {
namespace {

constexpr const char* kIssue = "issue";
constexpr const char* kIssueWildcard = "issuewild";

struct Record {
    bool is_critical;
    std::string tag;
    std::string issuer; ///< the value up to its parameters, without blanks
};

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

Record parse(const std::string& text) {
    constexpr unsigned kCritical = 128;
    std::istringstream words(text);
    unsigned flags = 0;
    std::string tag;
    std::string value;
    words >> flags >> tag;
    std::getline(words, value);
    value.resize(std::min(value.find(';'), value.size()));
    std::erase_if(value, [](unsigned char c) { return std::isspace(c) != 0; });
    return {(flags & kCritical) != 0, lower(tag), lower(value)};
}

bool is_known(const std::string& tag) {
    // RFC 8659; RFC 9495 (issuemail); contactemail and contactphone of the CA/Browser Forum.
    return tag.starts_with(kIssue) || tag == "iodef" || tag.starts_with("contact");
}

} // namespace

Result<CaaPolicy> find_policy(const std::string& name, const AskCaa& ask) {
    std::string at = name.starts_with("*.") ? name.substr(2) : name;
    while (!at.empty()) {
        COMMENTO_ASSIGN(std::vector<std::string> records, ask(at));
        if (!records.empty())
            return CaaPolicy{at, std::move(records)};
        const auto dot = at.find('.');
        at = dot == std::string::npos ? "" : at.substr(dot + 1);
    }
    return CaaPolicy{};
}

bool allows(const std::vector<std::string>& records, const std::vector<std::string>& identities, bool is_wildcard) {
    std::vector<Record> parsed(records.size());
    std::ranges::transform(records, parsed.begin(), parse);
    const auto has = [&](const char* tag) {
        return std::ranges::any_of(parsed, [&](const Record& record) { return record.tag == tag; });
    };
    if (std::ranges::any_of(parsed, [](const Record& record) { return record.is_critical && !is_known(record.tag); }))
        return false;
    const char* decisive = is_wildcard && has(kIssueWildcard) ? kIssueWildcard : kIssue;
    if (!has(decisive))
        return true;
    return std::ranges::any_of(parsed, [&](const Record& record) {
        return record.tag == decisive && std::ranges::find(identities, record.issuer) != identities.end();
    });
}

} // namespace commento
