#include "app/changeover.hpp"

#include "app/beside.hpp"
#include "app/release.hpp"
#include "app/releases.hpp"
#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/journal.hpp"
#include "base/units.hpp"
#include "config/settings.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace commento {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr const char* kMain = "commento.service";
constexpr const char* kBeside = "commento-app-beside.service";
constexpr const char* kInstall = "commento-app-install.service";
constexpr const char* kGuard = "commento-db-guard.service";
constexpr const char* kRender = "commento-nginx-render.service";
constexpr const char* kReload = "commento-nginx-reload.service";
constexpr const char* kNginx = "nginx.service";

// Longer than any of these units may take (TimeoutStartSec=), so that systemd's own limit ends the wait.
constexpr std::chrono::hours kLimit{25};
// A request that takes longer is cut, and so is a WebSocket. A request's head has to be there after 10 s (nginx' site).
constexpr std::chrono::seconds kDrain{30};
constexpr mode_t kSettingsMode = 0644;

milliseconds since(Clock::time_point begin) { return std::chrono::duration_cast<milliseconds>(Clock::now() - begin); }

/// What a unit's programs said last, without the hints.
std::string last_words(Units& units, const std::string& unit) {
    constexpr std::size_t kLines = 5;
    const auto state = units.state(unit);
    if (!state || state->invocation.empty())
        return {};
    sync_journal();
    auto lines = lines_of_run(unit, state->invocation);
    std::erase_if(lines, [](const std::string& line) { return line.starts_with("hint: "); });
    std::string words;
    for (std::size_t at = lines.size() - std::min(kLines, lines.size()); at < lines.size(); ++at)
        words += "\n  " + lines[at];
    return words;
}

/// Runs a job to its end. The error has what the unit said, after `failure`, and is of the kind that the unit's program
/// told, where it is one of ours.
Result<void> run_unit(Units& units, const char* method, const std::string& unit, const std::string& failure,
                      std::optional<ErrorCode> code = std::nullopt) {
    COMMENTO_CHECK(units.reset_failed(unit));
    COMMENTO_ASSIGN(const std::string result, units.run_job(method, unit, kLimit));
    if (result == "done")
        return {};
    COMMENTO_ASSIGN(const UnitState state, units.state(unit));
    const ErrorCode told = state.result == "exit-code" ? code_of(state.exit_status) : ErrorCode::internal;
    return fail(code.value_or(told), fmt::format("{}; {} said:{}", failure, unit, last_words(units, unit)),
                fmt::format("journalctl -u {}", unit));
}

/// Descriptors of nginx' workers, those too that only end the requests that they have; readable when one has ended.
Result<std::vector<Fd>> workers_of_nginx(Units& units) {
    COMMENTO_ASSIGN(const auto processes, units.processes(kNginx));
    std::vector<Fd> workers;
    for (const auto& [id, title] : processes) {
        if (title.find("worker process") == std::string::npos)
            continue;
        Fd worker(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(id), 0)));
        if (worker)
            workers.push_back(std::move(worker));
    }
    return workers;
}

/// Returns when they have ended, and with them every request that they handed on; or when the time is over.
void await_end(const std::vector<Fd>& workers) {
    const auto begin = Clock::now();
    std::vector<pollfd> left;
    left.reserve(workers.size());
    for (const auto& worker : workers)
        left.push_back({worker.get(), POLLIN, 0});
    while (!left.empty()) {
        const auto patience = milliseconds(kDrain) - since(begin);
        if (patience <= 0ms || ::poll(left.data(), left.size(), static_cast<int>(patience.count())) == 0) {
            spdlog::warn("after {} s some requests or WebSockets are still under way; they are cut", kDrain.count());
            return;
        }
        std::erase_if(left, [](const pollfd& worker) { return worker.revents != 0; });
    }
    spdlog::info("what was under way has ended, after {} ms", since(begin).count());
}

/// Has nginx take the way that stands in /run, and lets what goes the former way end.
Result<void> follow_the_way(Units& units) {
    COMMENTO_ASSIGN(const auto workers, workers_of_nginx(units));
    COMMENTO_CHECK(run_unit(units, "StartUnit", kRender, "readers could not be led to the other instance"));
    COMMENTO_CHECK(run_unit(units, "StartUnit", kReload, "readers could not be led to the other instance"));
    await_end(workers);
    return {};
}

/// Makes the settings name the release of that marker.
Result<void> name_in_settings(const Paths& paths, const Marker& marker) {
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    COMMENTO_ASSIGN(const std::string text, read_file(paths.settings()));
    COMMENTO_ASSIGN(const bool changed, update_file(paths.settings(), naming(text, settings, marker), kSettingsMode));
    if (changed)
        spdlog::info("wrote APP_ARCHIVE, APP_URL and APP_SHA256 of this release into {}", paths.settings().string());
    return {};
}

class Changeover {
  public:
    Changeover(const Paths& paths, Units& units, std::string name, Naming naming)
        : paths_(paths), units_(units), name_(std::move(name)), naming_(naming),
          former_(fs::path(link_target(paths.app_current())).filename()) {}

    Result<void> run() {
        const auto begin = Clock::now();
        COMMENTO_CHECK(look());
        auto tried = try_beside();
        if (!tried) {
            settle(keep_former());
            return tried;
        }
        auto done = take_over();
        settle(end_changeover(paths_));
        if (done)
            spdlog::info("{} {} after {:.1f} s", name_, is_wanted_ ? "runs" : "is current, and starts with the target,",
                         std::chrono::duration<double>(Clock::now() - begin).count());
        return done;
    }

  private:
    /// What follows an error does not hide it.
    static void settle(const Result<void>& done) {
        if (!done)
            spdlog::error("{}", done.error().message);
    }

    Result<void> look() {
        const fs::path release = paths_.app_releases() / name_;
        const auto marker = read_marker(release);
        if (name_.find('/') != std::string::npos || !marker)
            return fail(ErrorCode::release, fmt::format("there is no release {}", name_),
                        "commentoctl app list shows what there is");
        marker_ = *marker;
        COMMENTO_ASSIGN(const UnitState application, units_.state(kMain));
        COMMENTO_ASSIGN(const UnitState web, units_.state(kNginx));
        is_wanted_ = application.active != "inactive";
        // Where nobody is served, nobody has to be led anywhere.
        is_served_ = application.active == "active" && web.active == "active";
        return {};
    }

    Result<void> try_beside() {
        COMMENTO_ASSIGN(const Settings settings, Settings::load(paths_));
        if (is_served_)
            COMMENTO_CHECK(require_own_port(paths_, settings));
        COMMENTO_ASSIGN(const int port, free_port_above(settings.number("COMMENTO_PORT")));
        COMMENTO_CHECK(place_beside(paths_, settings, paths_.app_releases() / name_, port));
        COMMENTO_CHECK(run_unit(units_, "StartUnit", kGuard, fmt::format("{} is not started; {}", name_, goes_on())));
        spdlog::info("starting {} beside {} on 127.0.0.1:{}", name_, former_.empty() ? "nothing" : former_, port);
        COMMENTO_CHECK(run_unit(units_, "StartUnit", kBeside, fmt::format("{} does not come up; {}", name_, goes_on()),
                                ErrorCode::application));
        if (!is_served_)
            return {};
        spdlog::info("{} answers; readers are led to it", name_);
        COMMENTO_CHECK(lead_to(paths_, port));
        return follow_the_way(units_);
    }

    std::string goes_on() const {
        return former_.empty() || !is_wanted_ ? "nothing is switched" : fmt::format("{} goes on serving", former_);
    }

    /// The next start shall not take a release that does not come up.
    Result<void> keep_former() {
        auto ended = end_changeover(paths_);
        const auto former = read_marker(paths_.app_releases() / former_);
        const auto settings = Settings::load(paths_);
        if (former && name_ != former_ && settings && names(*settings, marker_))
            COMMENTO_CHECK(restore_settings(*former));
        return ended;
    }

    /// The helper finds nothing to do, which tells that what runs has these settings.
    Result<void> restore_settings(const Marker& former) {
        COMMENTO_CHECK(name_in_settings(paths_, former));
        return run_unit(units_, "StartUnit", kInstall, fmt::format("{} could not be kept", former_));
    }

    Result<void> take_over() {
        auto done = make_current(marker_, name_, naming_);
        if (done || former_.empty())
            return done;
        spdlog::error("{}", done.error().message);
        const auto former = read_marker(paths_.app_releases() / former_);
        auto back =
            former ? make_current(*former, former_, Naming::rewritten) : fail(ErrorCode::release, "its folder is gone");
        return fail(done.error().code,
                    fmt::format("{} did not take over: {}\n{}", name_, done.error().message,
                                back ? fmt::format("{} runs again", former_)
                                     : fmt::format("nor does {}: {}", former_, back.error().message)),
                    done.error().hint);
    }

    Result<void> make_current(const Marker& marker, const std::string& name, Naming naming) {
        if (naming == Naming::rewritten)
            COMMENTO_CHECK(name_in_settings(paths_, marker));
        COMMENTO_CHECK(run_unit(units_, "StartUnit", kInstall, fmt::format("{} could not be made current", name)));
        if (fs::path(link_target(paths_.app_current())).filename() != name)
            return fail(ErrorCode::settings, fmt::format("the settings no longer name {}", name),
                        "somebody else changes them, too; try again");
        return is_wanted_
                   ? run_unit(units_, "RestartUnit", kMain,
                              fmt::format("commento.service does not come up with {}", name), ErrorCode::application)
                   : Result<void>();
    }

    const Paths& paths_;
    Units& units_;
    std::string name_;
    Naming naming_;
    std::string former_; ///< empty where nothing was current
    Marker marker_{};
    bool is_wanted_ = false; ///< the application is to run
    bool is_served_ = false; ///< it does, and nginx leads readers to it
};

} // namespace

Result<void> change_over(const Paths& paths, const std::string& name, Naming naming) {
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_CHECK(end_changeover(paths));
    return Changeover(paths, units, name, naming).run();
}

Result<void> end_changeover(const Paths& paths) {
    if (!fs::exists(paths.beside()))
        return {};
    COMMENTO_ASSIGN(Units units, Units::connect());
    Result<void> led;
    if (fs::exists(paths.beside_port())) {
        COMMENTO_ASSIGN(const UnitState application, units.state(kMain));
        if (application.active == "activating") // a changeover that was cut off had it restarted
            std::ignore = units.run_job("StartUnit", kMain, 3min);
        COMMENTO_CHECK(lead_back(paths));
        // Where that fails, nginx takes the way back by itself when the second instance is gone: its stand-by.
        led = follow_the_way(units);
    }
    COMMENTO_CHECK(units.run_job("StopUnit", kBeside, 2min));
    COMMENTO_CHECK(units.reset_failed(kBeside)); // what it failed with was told
    COMMENTO_CHECK(clear_beside(paths));
    return led;
}

} // namespace commento
