#include "cert/bootstrap.hpp"

#include "base/clock.hpp"
#include "base/files.hpp"
#include "cert/due.hpp"
#include "cert/local.hpp"
#include "cert/site.hpp"
#include "cert/store.hpp"

#include <spdlog/spdlog.h>

namespace commento {
namespace {

Result<Generation> files_or_placeholder(const Site& site, const std::optional<Generation>& live) {
    auto taken = take_files(site.store, *site.settings, live);
    if (!taken && !live) {
        COMMENTO_CHECK(make_self_signed_generation(site.store, *site.settings));
        spdlog::warn("made a self-signed placeholder, so that nginx can start");
    }
    return taken;
}

Result<Generation> prepare(const Site& site, const std::optional<Generation>& live) {
    const std::string& mode = site.settings->text("TLS_MODE");
    if (mode == "files")
        return files_or_placeholder(site, live);
    const bool due = mode == "selfsigned" && !why_due(live, wanted_by(site), std::nullopt, now()).empty();
    if (live && !due)
        return *live;
    return make_self_signed_generation(site.store, *site.settings);
}

/// A further certificate may stand in a site of nginx, too, which does not start without it. One that is damaged is
/// told and hinders nothing else.
void repair_further(const Paths& paths, const std::shared_ptr<const Settings>& settings) {
    for (const auto& [name, site] : further_sites(paths, settings)) {
        const auto repaired = site ? repair(site->store).map([](const auto&) {}) : tl::unexpected(site.error());
        if (!repaired)
            spdlog::warn("{}; ignoring the certificate {}", repaired.error().message, name);
    }
}

} // namespace

Result<void> bootstrap(const Paths& paths) {
    COMMENTO_ASSIGN(const Settings loaded, Settings::load(paths));
    const auto settings = std::make_shared<const Settings>(loaded);
    const Site site = main_site(paths, settings);
    repair_further(paths, settings);
    COMMENTO_ASSIGN(const auto former, repair(site.store));
    COMMENTO_ASSIGN(const Generation live, prepare(site, former));
    const bool same = former && former->name == live.name;
    spdlog::info("{} {}, valid until {}", same ? "nothing to do: there is" : "installed", summary(live),
                 local_time(live.not_after));
    return {};
}

} // namespace commento
