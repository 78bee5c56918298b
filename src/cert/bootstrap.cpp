#include "cert/bootstrap.hpp"

#include "base/clock.hpp"
#include "cert/due.hpp"
#include "cert/local.hpp"
#include "cert/store.hpp"
#include "config/settings.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

Result<Generation> files_or_placeholder(const Paths& paths, const Settings& settings,
                                        const std::optional<Generation>& live) {
    auto taken = take_files(paths, settings, live);
    if (!taken && !live) {
        COMMENTO_CHECK(make_self_signed_generation(paths, settings));
        spdlog::warn("made a self-signed placeholder, so that nginx can start");
    }
    return taken;
}

Result<Generation> prepare(const Paths& paths, const Settings& settings, const std::optional<Generation>& live) {
    const std::string& mode = settings.text("TLS_MODE");
    if (mode == "files")
        return files_or_placeholder(paths, settings, live);
    const bool due = mode == "selfsigned" && !why_due(live, wanted_by(settings), now()).empty();
    if (live && !due)
        return *live;
    return make_self_signed_generation(paths, settings);
}

} // namespace

Result<void> bootstrap(const Paths& paths) {
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    COMMENTO_ASSIGN(const auto former, repair(paths));
    COMMENTO_ASSIGN(const Generation live, prepare(paths, settings, former));
    const bool same = former && former->name == live.name;
    spdlog::info("{} {}, valid until {}", same ? "nothing to do: there is" : "installed", summary(live),
                 local_time(live.not_after));
    return {};
}

} // namespace commento
