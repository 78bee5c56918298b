#include "nginx/reload.hpp"

#include "base/pace.hpp"
#include "base/units.hpp"
#include "nginx/host.hpp"
#include "nginx/render.hpp"
#include "nginx/served.hpp"
#include "nginx/site_file.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

Result<void> require_running(Units& units) {
    COMMENTO_ASSIGN(const bool runs, nginx_runs(units));
    if (runs)
        return {};
    return fail(ErrorCode::web, "nginx is not running", "systemctl status nginx; journalctl -u nginx -n 20");
}

/// nginx takes a reload that it refuses for done and keeps what it has, so it is asked beforehand.
Result<void> require_acceptance(const Paths& paths) {
    COMMENTO_ASSIGN(const Fd lock, lock_site(paths));
    const auto accepted = test_configuration();
    if (accepted)
        return {};
    Error refused = explain_refusal(paths, accepted.error().message);
    refused.message += "\nnginx goes on serving what it has loaded";
    return tl::unexpected(std::move(refused));
}

Result<void> reload_nginx(Units& units) {
    COMMENTO_ASSIGN(const std::string result, units.run_job("ReloadUnit", kNginxService, 60s));
    if (result != "done")
        return fail(ErrorCode::web, fmt::format("the reload of nginx ended with: {}", result),
                    "systemctl status nginx; journalctl -u nginx -n 20");
    return {};
}

tl::unexpected<Error> still(const std::string& found, const Settings& settings) {
    return fail(ErrorCode::web, fmt::format("nginx was reloaded, and still: {}", found),
                fmt::format("does another program hold a port, or another site the name? See "
                            "/var/log/nginx/error.log, and ss -ltnp 'sport = :{} or sport = :{}'",
                            settings.text("HTTP_PORT"), settings.text("HTTPS_PORT")));
}

/// Returns whether what stands on disk is served; not, where that is another than what stood there when nginx was
/// asked for the reload. Whoever put it in place has this run again.
Result<bool> wait_until_served(const Paths& paths, const Settings& settings, const Expected& asked, Pace& pace) {
    while (true) {
        COMMENTO_ASSIGN(const Expected expected, read_expected(paths));
        const std::string found = difference(expected, settings);
        if (found.empty() || expected != asked)
            return found.empty();
        if (!pace.wait())
            return still(found, settings);
    }
}

/// nginx has its old workers go on accepting for 100 ms when the new ones are there, whose answers were seen: who is
/// told that the reload is over shall meet no old one.
Result<void> wait_until_replaced(const Settings& settings, Units& units, const std::set<std::uint32_t>& old_workers,
                                 Pace& pace) {
    while (true) {
        COMMENTO_ASSIGN(const auto workers, accepting_workers(units));
        if (std::ranges::none_of(workers, [&](auto id) { return old_workers.contains(id); }))
            return {};
        if (!pace.wait())
            return still("workers from before the reload take connections", settings);
    }
}

/// What nginx does not serve as it stands on disk; empty where it serves all of it.
std::string find_difference(const Paths& paths, const Settings& settings, const Expected& expected,
                            const std::string& further) {
    const std::string found = difference(expected, settings);
    return found.empty() && !is_further_loaded(paths, further) ? "a further certificate changed" : found;
}

/// Before anything is looked at: what is put in place from then on has systemd start the next run.
Result<void> take_signal(const Paths& paths) {
    std::error_code fault;
    std::filesystem::remove(paths.tls_changed(), fault);
    return fault ? fail(ErrorCode::storage,
                        fmt::format("cannot remove {}: {}", paths.tls_changed().string(), fault.message()))
                 : Result<void>();
}

} // namespace

Result<void> reload(const Paths& paths) {
    const auto begin = Clock::now();
    COMMENTO_CHECK(take_signal(paths));
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    COMMENTO_ASSIGN(Expected expected, read_expected(paths));
    COMMENTO_ASSIGN(Units units, Units::connect());
    // Whether responses are stapled is written in the site, and depends on the certificate.
    if (expected.staples != expected.certificate.names_responder) {
        COMMENTO_CHECK(update_site(paths, settings, units));
        COMMENTO_ASSIGN(expected, read_expected(paths));
    }
    const std::string further = further_stamp(paths);
    const std::string found = find_difference(paths, settings, expected, further);
    if (found.empty()) {
        // The reload that render asked for may have brought it just now.
        Pace pace(5ms, 50ms, 10s);
        COMMENTO_CHECK(wait_until_replaced(settings, units, take_leaving_workers(paths), pace));
        spdlog::info("nginx serves the site and the certificate {} as they are on disk: nothing to do",
                     expected.certificate.serial);
        return {};
    }
    COMMENTO_CHECK(require_running(units));
    // The site's lock is free again when the job is waited for: the job itself may have to wait for a unit that renders
    // the site.
    COMMENTO_CHECK(require_acceptance(paths));
    COMMENTO_ASSIGN(const auto old_workers, accepting_workers(units));
    COMMENTO_CHECK(reload_nginx(units));
    Pace pace(5ms, 50ms, 10s);
    COMMENTO_ASSIGN(const bool is_served, wait_until_served(paths, settings, expected, pace));
    const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
    if (is_served)
        spdlog::info("reloaded nginx ({}); it serves the certificate {} after {} ms", found,
                     expected.certificate.serial, taken);
    else
        spdlog::info("reloaded nginx ({}); another certificate came into place meanwhile", found);
    COMMENTO_CHECK(wait_until_replaced(settings, units, old_workers, pace));
    return note_further_loaded(paths, further);
}

} // namespace commento
