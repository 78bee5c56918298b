#include "ctl/updates.hpp"

#include "base/process.hpp"

#include <regex>
#include <sstream>

namespace commento {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

Words question(Family family) {
    if (family == Family::debian)
        return {"apt-cache", "policy"};
    // DNF 5 ends no line by itself, DNF 4 each: an empty one more does no harm.
    return {"dnf", "--cacheonly", "--quiet", "repoquery", "--upgrades", "--queryformat", "%{name} %{evr}\n"};
}

} // namespace

Updates updates_of_apt(std::string_view policy) {
    const std::regex entry("(^|\n)([^ \n]+):\n +Installed: (\\S+)\n +Candidate: (\\S+)");
    Updates updates;
    for (std::cregex_iterator at(policy.begin(), policy.end(), entry), end; at != end; ++at) {
        const auto& found = *at;
        if (found[3] != "(none)" && found[4] != "(none)" && found[3] != found[4])
            updates[found[2]] = found[4];
    }
    return updates;
}

Updates updates_of_dnf(std::string_view listing) {
    Updates updates;
    std::istringstream lines{std::string(listing)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string name;
        std::string version;
        if (words >> name >> version)
            updates[name] = version.starts_with("0:") ? version.substr(2) : version;
    }
    return updates;
}

Updates find_updates(const HostFacts& facts, const Words& packages) {
    Words command = question(facts.family);
    command.insert(command.end(), packages.begin(), packages.end());
    const auto answer = run_program(command, 10s);
    if (!answer || answer->status != 0)
        return {};
    return facts.family == Family::debian ? updates_of_apt(answer->output) : updates_of_dnf(answer->output);
}

} // namespace commento
