// The host: clock, ports, packet filter, disks, SELinux.

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/host_facts.hpp"
#include "base/process.hpp"
#include "base/translate.hpp"
#include "ctl/check.hpp"
#include "ctl/firewall.hpp"
#include "ctl/reach.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// --- clock ---

/// By what systemd knows of the time services that are installed (org.freedesktop.timedate1).
Remedy keep_time(const Paths& paths) {
    const auto can = run_program({"timedatectl", "show", "--property=CanNTP", "--value"}, 10s);
    return can && can->output == "yes\n" ? safely({"timedatectl", "set-ntp", "true"})
                                         : by_hand(host_facts(paths).install("chrony"));
}

/// The kernel's word: whether something keeps the clock in step (adjtimex(2)).
Finding look_at_synchronisation(const Paths& paths) {
    timex state{};
    const int result = ::adjtimex(&state);
    if (result < 0)
        return skipped(tr("the kernel does not say whether the clock is kept in step"));
    if (result == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
        return warning(tr("nothing keeps the clock in step"), keep_time(paths));
    return ok(tr("something keeps the clock in step"));
}

/// An authority's own clock is a second one that we can trust (TLS), to the second (RFC 9110, 6.6.1).
Finding look_at_clock(CheckedHost& host) {
    constexpr std::int64_t kLittle = 5;
    constexpr std::int64_t kMuch = 300; // beyond, certificates just issued are not valid yet
    if (host.settings().text("TLS_MODE") != "acme" || !host.directory())
        return look_at_synchronisation(host.paths());
    const auto there = parse_http_date(host.directory()->header("date"));
    const std::int64_t here = host.directory_asked_at();
    if (!there)
        return look_at_synchronisation(host.paths());
    const std::int64_t ahead = here - *there;
    const std::string saw =
        tr("{} s {} the authority's clock", std::abs(ahead), ahead < 0 ? tr("behind") : tr("ahead of"));
    if (std::abs(ahead) <= kLittle)
        return ok(saw);
    return {std::abs(ahead) > kMuch ? Level::fault : Level::warning, saw, keep_time(host.paths())};
}

// --- ports ---

std::string describe(const Listener& listener) {
    return fmt::format("{}{}", listener.program.empty() ? tr("another program") : listener.program,
                       listener.unit.empty() ? "" : fmt::format(" ({})", listener.unit));
}

/// A service that runs much more than this listener is not for us to end.
Remedy remedy_against(const Listener& listener, const char* key) {
    constexpr std::array kMuchMore{"docker.service", "containerd.service", "podman.service", "snapd.service"};
    if (listener.unit.starts_with("commento"))
        return advise(tr("it proves a name to the authority just now; look again in a minute"));
    if (listener.unit.empty() || std::ranges::find(kMuchMore, listener.unit) != kMuchMore.end())
        return advise(tr("end it, or set another {}", key));
    return by_hand({"systemctl", "disable", "--now", listener.unit});
}

/// `nobody`: what it means where nothing listens.
Finding look_at_port(CheckedHost& host, const char* key, Finding (*nobody)(int port)) {
    const int port = host.settings().number(key);
    const auto listeners = listeners_at(port, host.paths());
    if (listeners.empty())
        return nobody(port);
    const auto other = std::ranges::find_if(listeners, [](const Listener& each) { return each.program != "nginx"; });
    if (other == listeners.end())
        return ok(tr("nginx listens at port {}", port));
    const std::string saw = tr("{} listens at port {}", describe(*other), port);
    return fault(saw, remedy_against(*other, key));
}

Finding nobody_serves(int port) {
    return fault(tr("nothing listens at port {}", port), safely({"systemctl", "start", "commento.target"}));
}

Finding is_free(int port) { return ok(tr("port {} is free", port)); }

Finding look_at_http_port(CheckedHost& host) { return look_at_port(host, "HTTP_PORT", nobody_serves); }
Finding look_at_https_port(CheckedHost& host) { return look_at_port(host, "HTTPS_PORT", nobody_serves); }
Finding look_whether_http_is_free(CheckedHost& host) { return look_at_port(host, "HTTP_PORT", is_free); }
Finding look_whether_https_is_free(CheckedHost& host) { return look_at_port(host, "HTTPS_PORT", is_free); }

/// The application has no TLS and no limits of its own: it must not be reached past nginx.
Finding look_at_application_port(CheckedHost& host) {
    const int port = host.settings().number("COMMENTO_PORT");
    const auto listeners = listeners_at(port, host.paths());
    if (listeners.empty())
        return fault(tr("nothing listens at port {}", port), safely({"systemctl", "start", "commento.service"}));
    for (const auto& each : listeners) {
        if (each.unit != "commento.service")
            return fault(
                tr("{} listens at port {}", describe(each), port),
                advise(
                    tr("end it, or: sudo commentoctl setup --set COMMENTO_PORT=PORT, then sudo commentoctl restart")));
        if (each.address != "127.0.0.1")
            return fault(tr("the application listens at {} port {}, past nginx", each.address, port),
                         safely({"commentoctl", "restart"}));
    }
    return ok(tr("the application listens at 127.0.0.1 port {} only", port));
}

// --- packet filter ---

Finding look_at_firewall(CheckedHost& host) {
    const std::vector<int> ports{host.settings().number("HTTP_PORT"), host.settings().number("HTTPS_PORT")};
    const FirewallView view = view_firewall(ports);
    if (view.kind == Firewall::none)
        return ok(tr("no packet filter of this host holds back what comes in"));
    if (view.closed.empty())
        return ok(tr("{} lets ports {} through", view.name, fmt::join(ports, tr(" and "))));
    // Zones, sources and order are not followed, so it is a hint.
    return warning(tr("{} seems to hold back what comes to port {}", view.name, fmt::join(view.closed, tr(" and "))),
                   opening(view));
}

// --- disks ---

std::vector<std::string> places(const Paths& paths) {
    std::vector<std::string> found;
    for (const auto& place : {paths.state(), host_facts(paths).clusters, paths.root / "var/log", paths.root / "tmp"}) {
        if (std::error_code fault; std::filesystem::is_directory(place, fault))
            found.push_back(place);
    }
    return found;
}

/// `share`: what is free of what there is, 0 to 1; negative where it can't be told.
Finding look_at_share(CheckedHost& host, const char* what, double (*share)(const struct statvfs&)) {
    constexpr double kLittle = 0.10;
    constexpr double kTooLittle = 0.02;
    constexpr double kHundred = 100;
    double least = 1;
    std::string where;
    for (const auto& place : places(host.paths())) {
        struct statvfs disk {};
        if (::statvfs(place.c_str(), &disk) != 0 || share(disk) < 0 || share(disk) >= least)
            continue;
        least = share(disk);
        where = place;
    }
    const std::string saw =
        where.empty() ? tr("{:.0f} % of the {} are free", least * kHundred, translated(what))
                      : tr("{:.0f} % of the {} are free where {} is", least * kHundred, translated(what), where);
    const Remedy remedy = advise(tr("sudo du -xh --max-depth=2 {} shows what fills it; sudo commentoctl backup "
                                    "prune removes old backups",
                                    where));
    if (least < kTooLittle)
        return fault(saw, remedy);
    return least < kLittle ? warning(saw, remedy) : ok(saw);
}

Finding look_at_space(CheckedHost& host) {
    return look_at_share(host, msgid("blocks"), [](const struct statvfs& disk) {
        return disk.f_blocks == 0 ? -1 : static_cast<double>(disk.f_bavail) / static_cast<double>(disk.f_blocks);
    });
}

Finding look_at_inodes(CheckedHost& host) {
    return look_at_share(host, msgid("inodes"), [](const struct statvfs& disk) {
        return disk.f_files == 0 ? -1 : static_cast<double>(disk.f_favail) / static_cast<double>(disk.f_files);
    });
}

/// mountpoint(1)'s notion of it, for what lies below too.
std::string mount_point_of(fs::path place) {
    struct stat here {};
    struct stat above {};
    while (place.has_relative_path() && ::stat(place.c_str(), &here) == 0 &&
           ::stat(place.parent_path().c_str(), &above) == 0 && here.st_dev == above.st_dev)
        place = place.parent_path();
    return place;
}

Finding look_whether_writable(CheckedHost& host) {
    for (const auto& place : places(host.paths())) {
        struct statvfs disk {};
        if (::statvfs(place.c_str(), &disk) == 0 && (disk.f_flag & ST_RDONLY) != 0)
            return fault(tr("{} is mounted read-only; dmesg shows whether its disk failed", place),
                         by_hand({"mount", "-o", "remount,rw", mount_point_of(place)}));
    }
    return ok(tr("disks can be written to"));
}

// --- SELinux ---

bool is_enforcing(const Paths& paths) {
    return read_file(paths.root / "sys/fs/selinux/enforce").value_or("0").starts_with('1');
}

constexpr const char* kNotEnforcing = msgid("SELinux does not enforce anything here");

/// httpd_can_network_relay would do for the usual port, but not for the one beside it during a changeover.
Finding look_at_booleans(CheckedHost& host) {
    constexpr const char* kBoolean = "httpd_can_network_connect";
    if (!is_enforcing(host.paths()))
        return skipped(translated(kNotEnforcing));
    const auto asked = run_program({"getsebool", kBoolean}, 10s);
    if (!asked || asked->status != 0)
        return skipped(tr("getsebool does not answer"));
    if (asked->output.ends_with("--> on\n"))
        return ok(tr("nginx may connect to the application: {} is on", kBoolean));
    return fault(tr("nginx may not connect to the application"), by_hand({"setsebool", "-P", kBoolean, "1"}));
}

Finding look_at_contexts(CheckedHost& host) {
    if (!is_enforcing(host.paths()))
        return skipped(translated(kNotEnforcing));
    const std::string state = host.paths().state();
    const auto asked = run_program({"restorecon", "-R", "-n", "-v", state}, 60s);
    if (!asked || asked->status != 0)
        return skipped(tr("restorecon does not answer"));
    if (asked->output.empty())
        return ok(tr("labels are as the policy has them"));
    return fault(tr("labels below {} are not as the policy has them", state), safely({"restorecon", "-R", state}));
}

constexpr std::array kChecks{
    Check{"clock.time", msgid("The clock is right"), look_at_clock},
    Check{"ports.http", msgid("nginx has the port of HTTP"), look_at_http_port},
    Check{"ports.https", msgid("nginx has the port of HTTPS"), look_at_https_port},
    Check{"ports.application", msgid("The application is reached through nginx only"), look_at_application_port},
    Check{"firewall.ports", msgid("The packet filter lets readers in"), look_at_firewall},
    Check{"disk.space", msgid("There is room"), look_at_space},
    Check{"disk.inodes", msgid("There is room for files"), look_at_inodes},
    Check{"disk.writable", msgid("Disks can be written to"), look_whether_writable},
    Check{"selinux.booleans", msgid("SELinux lets nginx connect"), look_at_booleans},
    Check{"selinux.contexts", msgid("SELinux' labels are right"), look_at_contexts},
};

constexpr std::array kBeforeStart{
    Check{"ports.http", msgid("Nobody but nginx has the port of HTTP"), look_whether_http_is_free},
    Check{"ports.https", msgid("Nobody but nginx has the port of HTTPS"), look_whether_https_is_free},
};

} // namespace

std::span<const Check> host_checks() { return kChecks; }

std::span<const Check> free_port_checks() { return kBeforeStart; }

} // namespace commento
