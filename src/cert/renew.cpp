#include "cert/renew.hpp"

#include "base/clock.hpp"
#include "base/files.hpp"
#include "cert/advice.hpp"
#include "cert/due.hpp"
#include "cert/local.hpp"
#include "cert/serving.hpp"
#include "cert/store.hpp"
#include "proof/webroot.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

/// In front of what concerns a further certificate; the comment server's own needs no name.
std::string prefix_of(const std::string& name) { return name == kMain ? "" : name + ": "; }

/// What was set aside because nginx did not serve it, and is what is wanted, is tried again now and then: that costs no
/// issue. ErrorCode::later before it is time.
Result<Generation> try_again(const Site& site, const SetAside& spare, Haste haste) {
    constexpr std::int64_t kPause = 3600;
    if (const std::int64_t next = spare.since + kPause; haste == Haste::none && now() < next && spare.since <= now())
        return fail(ErrorCode::later,
                    fmt::format("nginx did not serve {}; it is tried again after {}", summary(spare.generation),
                                local_time(next)),
                    "see systemctl status commento-nginx-reload nginx; commentoctl cert renew --force tries it now");
    spdlog::info("trying {} again, which nginx did not serve", summary(spare.generation));
    return take_up_again(site.store, spare.generation);
}

Result<Generation> replace(const Paths& paths, const Site& site, const Wanted& wanted,
                           const std::optional<Generation>& live, Haste haste) {
    const auto spare = find_set_aside(site.store);
    if (spare && why_due(spare->generation, wanted, std::nullopt, now()).empty())
        return try_again(site, *spare, haste);
    if (wanted.source == Source::self_signed)
        return make_self_signed_generation(site.store, *site.settings);
    return issue(paths, site, wanted, live, haste);
}

Result<Generation> installed(const Site& site, Result<Generation> generation, Shown before) {
    if (!generation)
        return generation;
    spdlog::info("{}installed {}, valid until {}", prefix_of(site.name), summary(*generation),
                 local_time(generation->not_after));
    COMMENTO_CHECK(await_served(site, *generation, before));
    return generation;
}

Result<Generation> follow_files(const Site& site, const std::optional<Generation>& live, Haste haste) {
    COMMENTO_ASSIGN(const Pair pair, operators_pair(*site.settings));
    if (live && read_pair(site.store, *live) == pair)
        return *live;
    const Shown before = look_at_served(site);
    const auto spare = find_set_aside(site.store);
    const bool again = spare && read_pair(site.store, spare->generation) == pair;
    return installed(site, again ? try_again(site, *spare, haste) : install(site.store, pair, {{Source::files}}),
                     before);
}

/// The generation that is live when all is done. `live` is the one that was published before.
Result<Generation> bring_up_to_date(const Paths& paths, const Site& site, std::optional<Generation> live,
                                    Adviser& adviser, Haste haste) {
    if (site.name == kMain && site.settings->text("TLS_MODE") == "files")
        return follow_files(site, live, haste);
    const Wanted wanted = wanted_by(site);
    const auto reason = [&](const std::optional<Generation>& generation) {
        const auto advice = generation ? adviser.ask(site, *generation, now()) : std::nullopt;
        return why_due(generation, wanted, advice, now());
    };
    if (live && haste == Haste::none && reason(live).empty())
        return *live;
    // The run before may have been killed with the wanted one in the store already.
    COMMENTO_ASSIGN(live, repair(site.store));
    const std::string due = reason(live);
    if (due.empty() && haste == Haste::none)
        return *live;
    spdlog::info("{}a new certificate is due: {}", prefix_of(site.name), due.empty() ? "it was asked for" : due);
    const Shown before = look_at_served(site);
    return installed(site, replace(paths, site, wanted, live, haste), before);
}

/// One error for all of them.
Error join(const std::vector<std::pair<std::string, Error>>& errors) {
    Error joined{errors.front().second.code, {}, {}};
    for (const auto& [name, error] : errors) {
        const std::string hint = errors.size() == 1 ? error.hint : prefix_of(name) + error.hint;
        joined.message += fmt::format("{}{}{}", joined.message.empty() ? "" : "\n", prefix_of(name), error.message);
        joined.hint += fmt::format("{}{}", joined.hint.empty() ? "" : "\n", hint);
    }
    return joined;
}

void say_nothing_due(const Site& site, const Generation& live) {
    spdlog::info("{}nothing due: {}, valid until {}", prefix_of(site.name), summary(live), local_time(live.not_after));
}

Result<void> renew_sites(const Paths& paths, const std::vector<NamedSite>& sites, Haste haste) {
    constexpr std::size_t kFew = 10;
    Adviser adviser;
    std::size_t quiet = 0;
    std::vector<std::pair<std::string, Error>> errors;
    for (const auto& [name, site] : sites) {
        const auto former = site ? published(site->store) : std::nullopt;
        auto live =
            site.and_then([&](const Site& one) { return bring_up_to_date(paths, one, former, adviser, haste); });
        if (!live)
            errors.emplace_back(name, std::move(live).error());
        else if (!former || former->name != live->name)
            continue;
        else if (name == kMain || sites.size() < kFew)
            say_nothing_due(*site, *live);
        else
            ++quiet;
    }
    if (quiet > 0)
        spdlog::info("nothing due for {} further certificates", quiet);
    return errors.empty() ? Result<void>() : tl::unexpected(join(errors));
}

/// What is common to all certificates and a killed run left: answers to challenges, and the signal for nginx.
Result<void> clean_up(const Paths& paths) {
    clear_challenges(paths);
    return clean(Store{paths.tls(), {}});
}

} // namespace

Result<Fd> lock_runs(const Paths& paths) {
    constexpr mode_t kFolder = 0755;
    COMMENTO_CHECK(make_folder(paths.acme(), kFolder));
    return lock_file(paths.acme() / "lock");
}

Result<std::vector<NamedSite>> sites_named(const Paths& paths, const std::vector<std::string>& names) {
    COMMENTO_ASSIGN(Settings loaded, Settings::load(paths));
    const auto settings = std::make_shared<const Settings>(std::move(loaded));
    std::vector<NamedSite> all{{kMain, main_site(paths, settings)}};
    for (auto& further : further_sites(paths, settings))
        all.push_back(std::move(further));
    if (names.empty())
        return all;
    std::vector<NamedSite> chosen;
    for (const auto& name : names) {
        const auto found = std::ranges::find(all, name, &NamedSite::name);
        if (found == all.end())
            return fail(ErrorCode::settings, fmt::format("there is no certificate {}", name),
                        fmt::format("commentoctl cert list names them; each further one is a file in {}",
                                    paths.certificates().string()));
        chosen.push_back(*found);
    }
    return chosen;
}

Result<void> renew(const Paths& paths, const std::vector<std::string>& names, Haste haste) {
    COMMENTO_ASSIGN(const auto sites, sites_named(paths, names));
    COMMENTO_ASSIGN(const Fd lock, lock_runs(paths));
    COMMENTO_CHECK(clean_up(paths));
    return renew_sites(paths, sites, haste);
}

} // namespace commento
