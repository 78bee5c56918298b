#include "cert/site.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".conf";

fs::path states_in(const Paths& paths) { return paths.acme() / "certificates"; }

/// Names of the files in certificates/, without their ending, sorted. Others than NAME.conf (an editor's) are passed
/// over.
std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code fault;
    for (fs::directory_iterator entry(folder, fault), end; !fault && entry != end; entry.increment(fault)) {
        std::string name = entry->path().filename();
        if (!name.ends_with(kEnding))
            continue;
        name.resize(name.size() - kEnding.size());
        if (is_site_name(name))
            names.push_back(std::move(name));
    }
    std::ranges::sort(names);
    return names;
}

} // namespace

bool is_site_name(std::string_view word) {
    constexpr std::size_t kLongest = 200; // it is a folder's name
    return !word.empty() && word.size() <= kLongest && word.front() != '.' && word != kMain &&
           std::ranges::all_of(word, [](unsigned char c) {
               return std::isalnum(c) != 0 || std::string_view(".-_").find(static_cast<char>(c)) != std::string::npos;
           });
}

Site main_site(const Paths& paths, std::shared_ptr<const Settings> settings) {
    return {kMain, std::move(settings), Store{paths.tls(), paths.tls_changed()}, states_in(paths) / kMain};
}

std::vector<NamedSite> further_sites(const Paths& paths, const std::shared_ptr<const Settings>& settings) {
    std::vector<NamedSite> sites;
    // Once for all: putting paths together is a sixth of a look at 1,000 certificates (measured).
    const fs::path files = paths.certificates();
    const fs::path stores = paths.tls_further();
    const fs::path changed = paths.tls_changed();
    const fs::path signal = paths.tls_further_stamp();
    const fs::path states = states_in(paths);
    for (auto& name : names_in(files)) {
        auto loaded = Settings::load_further(files / (name + std::string(kEnding)), settings);
        auto site = std::move(loaded).map([&](Settings own) {
            return Site{name, std::make_shared<const Settings>(std::move(own)), Store{stores / name, changed, signal},
                        states / name};
        });
        sites.push_back({std::move(name), std::move(site)});
    }
    return sites;
}

} // namespace commento
