#include "ctl/changeover.hpp"

#include "base/files.hpp"
#include "base/translate.hpp"
#include "base/units.hpp"
#include "ctl/actions.hpp"
#include "ctl/output.hpp"
#include "ctl/request.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr const char* kChangeover = "commento-app-changeover.service";
constexpr const char* kTarget = "commento.target";
constexpr const char* kPool = "commento-db-pool.service";
constexpr const char* kFollow = "commento-db-follow.service";
constexpr const char* kHealth = "commento-app-health.socket";

Result<void> run_target(Units& units, const char* method) {
    constexpr std::chrono::minutes kLimit{10};
    COMMENTO_ASSIGN(const std::string result, units.run_job(method, kTarget, kLimit));
    if (result != "done")
        return fail(ErrorCode::internal, tr("systemd did not restart {}: {}", kTarget, result),
                    fmt::format("systemctl status {}", kTarget));
    return await_application("commentoctl status");
}

/// Whether somebody is served who could notice.
Result<bool> is_served(Units& units) {
    for (const char* unit : {"commento.service", kPool, "nginx.service"}) {
        COMMENTO_ASSIGN(const UnitState state, units.state(unit));
        if (state.active != "active")
            return false;
    }
    return true;
}

/// When the pool's configuration was written, in seconds and nanoseconds; it is only where it changes.
timespec time_of_pool(const Paths& paths) {
    struct stat status {};
    return ::stat(paths.pool_config().c_str(), &status) == 0 ? status.st_mtim : timespec{};
}

/// Whether the pool runs with another configuration than the settings ask for.
Result<bool> has_new_pool(const Paths& paths, Units& units) {
    const timespec before = time_of_pool(paths);
    COMMENTO_CHECK(run_helper("commento-db-provision.service"));
    const timespec after = time_of_pool(paths);
    COMMENTO_ASSIGN(const UnitState pool, units.state(kPool));
    return before.tv_sec != after.tv_sec || before.tv_nsec != after.tv_nsec || after.tv_sec > pool.since;
}

/// What runs all the time, and nobody waits for: the follower is a program of ours; the socket is where the version
/// before had it.
Result<void> renew_what_listens(const Paths& paths, Units& units) {
    constexpr std::chrono::minutes kLimit{6};
    COMMENTO_CHECK(units.run_job("TryRestartUnit", kFollow, kLimit));
    if (fs::exists(paths.health()))
        return {};
    COMMENTO_CHECK(units.run_job("TryRestartUnit", kHealth, kLimit));
    return {};
}

/// Each step is of use without the others: what could not be had, such as a release without a network, keeps no helper
/// from doing its part. The first error is the one that is told.
Result<void> renew_programs(const Paths& paths, Units& units) {
    auto done = change_over_to_settings(paths);
    COMMENTO_ASSIGN(const UnitState target, units.state(kTarget));
    if (target.active != "active") // stopped meanwhile, and the changeover with it
        return done;
    auto renewed = renew_what_listens(paths, units);
    auto started = run_target(units, "StartUnit");
    COMMENTO_ASSIGN(const bool new_pool, has_new_pool(paths, units));
    if (new_pool)
        say(tr("the pool of database connections goes on as it is, for another one would interrupt; to have it take "
               "what is new: commentoctl restart"));
    for (auto* step : {&renewed, &started}) {
        if (done && !*step)
            done = *step;
    }
    return done;
}

} // namespace

Result<void> require_no_changeover() {
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_ASSIGN(const UnitState state, units.state(kChangeover));
    if (state.active != "activating" && state.active != "deactivating")
        return {};
    return fail(ErrorCode::application, tr("the application is being changed over already; one at a time"),
                tr("journalctl -f -u {0} shows how far it is; systemctl stop {0} gives it up", kChangeover));
}

Result<std::string> fetch_release(const Paths& paths, const Words& words) {
    Words all{"fetch"};
    all.insert(all.end(), words.begin(), words.end());
    COMMENTO_CHECK(run_request(paths, {"app-request", std::move(all)}));
    return fs::path(link_target(paths.app_next())).filename().string();
}

Result<void> change_over_to(const Paths& paths, const std::string& name, const Words& words) {
    Words all{name};
    all.insert(all.end(), words.begin(), words.end());
    return run_request(paths, {"app-changeover", std::move(all)});
}

Result<void> change_over_to_settings(const Paths& paths) {
    COMMENTO_ASSIGN(const std::string name, fetch_release(paths));
    return change_over_to(paths, name);
}

Result<void> restart_stack(const Paths& paths, Interruption interruption) {
    COMMENTO_CHECK(require_no_changeover());
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_ASSIGN(const bool served, is_served(units));
    if (!served)
        return run_target(units, "RestartUnit");
    if (interruption == Interruption::avoided)
        return renew_programs(paths, units);
    COMMENTO_ASSIGN(const bool new_pool, has_new_pool(paths, units));
    if (new_pool) {
        say(tr("the database's settings changed: all parts are restarted, and the site is away for a moment"));
        return run_target(units, "RestartUnit"); // what runs takes new settings through PartOf=
    }
    COMMENTO_CHECK(change_over_to_settings(paths));
    // Runs the helpers again, which are all the others that read settings.
    return run_target(units, "StartUnit");
}

} // namespace commento
