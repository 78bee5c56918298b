#include "cert/renew.hpp"

#include "base/files.hpp"
#include "base/pace.hpp"
#include "base/clock.hpp"
#include "cert/due.hpp"
#include "cert/issue.hpp"
#include "cert/local.hpp"
#include "cert/store.hpp"
#include "config/settings.hpp"
#include "net/certificate.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

/// Two runs at once would spend two orders. Held to the end of the run, apart from the store's lock, so that bootstrap
/// never waits for an authority.
Result<Fd> lock_runs(const Paths& paths) {
    constexpr mode_t kFolder = 0755;
    COMMENTO_CHECK(make_folder(paths.acme(), kFolder));
    return lock_file(paths.acme() / "lock");
}

/// The generation that is live when all is done.
Result<Generation> bring_up_to_date(const Paths& paths, const Settings& settings, std::optional<Generation> live) {
    const std::string& mode = settings.text("TLS_MODE");
    if (mode == "files")
        return take_files(paths, settings, live);
    const Wanted wanted = wanted_by(settings);
    if (live && why_due(live, wanted, now()).empty())
        return *live;
    // The run before may have been killed with the wanted one in the store already.
    COMMENTO_ASSIGN(live, repair(paths));
    const std::string reason = why_due(live, wanted, now());
    if (reason.empty())
        return *live;
    spdlog::info("a new certificate is due: {}", reason);
    if (mode == "selfsigned")
        return make_self_signed_generation(paths, settings);
    return issue(paths, settings, wanted);
}

Result<void> await_served(const Settings& settings, const Generation& generation) {
    constexpr Pace::Duration kFirst{20};
    constexpr Pace::Duration kLongest{500};
    constexpr std::chrono::seconds kPatience{15};
    constexpr std::chrono::seconds kHandshake{2};
    const int port = settings.number("HTTPS_PORT");
    std::string seen;
    for (Pace pace(kFirst, kLongest, kPatience); pace.wait();) {
        const auto served = served_certificate("127.0.0.1", port, settings.text("DOMAIN"), kHandshake);
        if (served && served->fingerprint == generation.fingerprint)
            return {};
        seen = served ? fmt::format("it serves the one of {} with serial {}", served->issuer, served->serial)
                      : served.error().message;
    }
    return fail(ErrorCode::web,
                fmt::format("the new certificate (generation {}) is in place, but nginx does not serve it: {}",
                            generation.name, seen),
                "systemctl status commento-nginx-reload nginx");
}

} // namespace

Result<void> renew(const Paths& paths) {
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    COMMENTO_ASSIGN(const Fd lock, lock_runs(paths));
    const auto former = published(paths);
    COMMENTO_ASSIGN(const Generation live, bring_up_to_date(paths, settings, former));
    if (former && former->name == live.name) {
        spdlog::info("nothing due: {}, valid until {}", summary(live), local_time(live.not_after));
        return {};
    }
    spdlog::info("installed {}, valid until {}", summary(live), local_time(live.not_after));
    COMMENTO_CHECK(await_served(settings, live));
    spdlog::info("nginx serves it");
    return {};
}

} // namespace commento
