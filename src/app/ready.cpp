#include "app/ready.hpp"

#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/pace.hpp"
#include "net/application.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sstream>
#include <sys/syscall.h>
#include <unistd.h>

namespace commento {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFirst{5};
constexpr milliseconds kLongest{50};
constexpr seconds kAnswer{10};

/// pidfd_open(2); glibc 2.34, of Enterprise Linux 9, has no function for it.
Fd open_process(pid_t process) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0))); }

bool has_ended(const Fd& process) {
    pollfd events{process.get(), POLLIN, 0};
    return ::poll(&events, 1, 0) > 0;
}

std::optional<uid_t> listener_now(int port) {
    // Of this process: /proc/net is not there under ProcSubset=pid.
    const auto table = read_file("/proc/self/net/tcp", 1U << 24U);
    return table ? listener(*table, port) : std::nullopt;
}

bool is_stranger(std::optional<uid_t> user) { return user && *user != ::geteuid(); }

tl::unexpected<Error> taken(int port, uid_t user) {
    return fail(ErrorCode::application, fmt::format("port {} is taken by another program, of user {}", port, user),
                fmt::format("find it: ss -ltnp 'sport = :{}'; stop it, or set COMMENTO_PORT to another port", port));
}

/// Of the reasons why the application's process is no more, a port that is taken is the one that can be seen from here.
tl::unexpected<Error> ended(int port, const std::string& log) {
    if (const auto user = listener_now(port); is_stranger(user))
        return taken(port, *user);
    return fail(ErrorCode::application, fmt::format("the application ended before it answered on 127.0.0.1:{}", port),
                log);
}

/// What keeps the application from being ready; empty when nothing does.
std::string problem(HttpClient& client, const std::string& address) {
    std::string found = problem_with_page(client, address);
    return found.empty() ? problem_with_database(client, address) : found;
}

} // namespace

std::optional<uid_t> listener(std::string_view table, int port) {
    constexpr std::string_view kListening = "0A";
    const std::string loopback = fmt::format("0100007F:{:04X}", port);
    const std::string any = fmt::format("00000000:{:04X}", port);
    std::istringstream lines{std::string(table)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream columns(line);
        std::string skipped;
        std::string local;
        std::string state;
        uid_t user = 0;
        columns >> skipped >> local >> skipped >> state >> skipped >> skipped >> skipped >> user;
        if (columns && state == kListening && (local == loopback || local == any))
            return user;
    }
    return std::nullopt;
}

Result<void> wait_until_ready(int port, std::string_view base, std::optional<pid_t> process, seconds patience,
                              const std::string& unit) {
    const std::string log = fmt::format("see why: journalctl -u {} -n 50", unit);
    const Fd watched = process ? open_process(*process) : Fd();
    if (process && !watched)
        return ended(port, log);
    HttpClient client({.connect = kAnswer, .total = kAnswer});
    const std::string address = fmt::format("{}{}", client.reach_here(port), base);
    Pace pace(kFirst, kLongest, patience);
    std::string last;
    do {
        // Another program on that port may well answer, and so might another Commento.
        const auto user = listener_now(port);
        if (process && is_stranger(user))
            return taken(port, *user);
        last = user ? problem(client, address) : "nothing listens there";
        if (last.empty()) {
            spdlog::info("the application answers on 127.0.0.1:{}", port);
            return {};
        }
    } while (pace.wait(std::nullopt, watched.get()));
    if (watched && has_ended(watched))
        return ended(port, log);
    return fail(
        ErrorCode::application,
        fmt::format("the application does not answer on 127.0.0.1:{} after {} s: {}", port, patience.count(), last),
        log);
}

} // namespace commento
