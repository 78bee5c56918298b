#include "nginx/withdraw.hpp"

#include "base/units.hpp"
#include "nginx/host.hpp"
#include "nginx/site_file.hpp"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

namespace commento {
namespace {

Result<void> reload_without_site(Units& units) {
    if (const auto accepted = test_configuration(); !accepted)
        return fail(accepted.error().code,
                    fmt::format("the site is removed, but nginx serves it until its configuration is mended:\n{}",
                                accepted.error().message),
                    "mend the file that nginx names, then: systemctl reload nginx");
    COMMENTO_CHECK(units.run_job("ReloadUnit", kNginxService, std::chrono::seconds(60)));
    spdlog::info("reloaded nginx");
    return {};
}

} // namespace

Result<void> withdraw(const Paths& paths) {
    if (!std::filesystem::exists(paths.nginx_site())) {
        spdlog::info("{} is not there: nothing to do", paths.nginx_site().string());
        return {};
    }
    {
        COMMENTO_ASSIGN(const Fd lock, lock_site(paths));
        COMMENTO_CHECK(remove_site(paths));
    }
    spdlog::info("removed {}", paths.nginx_site().string());
    if (sd_booted() <= 0)
        return {};
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_ASSIGN(const bool runs, nginx_runs(units));
    return runs ? reload_without_site(units) : Result<void>();
}

} // namespace commento
