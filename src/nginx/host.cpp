#include "nginx/host.hpp"

#include "base/fd.hpp"
#include "base/process.hpp"

#include <cerrno>
#include <cstdint>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <regex>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace commento {
namespace {

// nginx -t resolves the names in all of the host's sites.
constexpr std::chrono::seconds kLimit{60};

/// errno of binding a TCP socket as nginx does; 0 when it could.
int try_bind(int family, const sockaddr* address, socklen_t size) {
    const Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket)
        return errno;
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return ::bind(socket.get(), address, size) == 0 ? 0 : errno;
}

int try_bind_ipv4(int port) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(static_cast<std::uint16_t>(port));
    return try_bind(AF_INET, reinterpret_cast<const sockaddr*>(&any), sizeof any);
}

int try_bind_ipv6(const in6_addr& address, int port) {
    sockaddr_in6 target{};
    target.sin6_family = AF_INET6;
    target.sin6_addr = address;
    target.sin6_port = htons(static_cast<std::uint16_t>(port));
    return try_bind(AF_INET6, reinterpret_cast<const sockaddr*>(&target), sizeof target);
}

bool is_taken(int port, Reach reach) {
    return try_bind_ipv4(port) == EADDRINUSE ||
           (reach == Reach::ipv4_and_ipv6 && try_bind_ipv6(in6addr_any, port) == EADDRINUSE);
}

} // namespace

Result<NginxVersion> parse_version(std::string_view output) {
    const std::string text(output);
    std::smatch parts;
    if (!std::regex_search(text, parts, std::regex(R"(/(\d{1,4})\.(\d{1,4})\.(\d{1,4}))")))
        return fail(ErrorCode::web, fmt::format("nginx -v does not tell a version: {}", text));
    return NginxVersion{std::stoi(parts[1]), std::stoi(parts[2]), std::stoi(parts[3])};
}

Result<Host> look_at_host() {
    const auto outcome = run_program({"nginx", "-v"}, kLimit);
    if (!outcome)
        return fail(ErrorCode::web, outcome.error().message, outcome.error().hint);
    COMMENTO_ASSIGN(const NginxVersion version, parse_version(outcome->output));
    return Host{version, has_ipv6()};
}

bool has_ipv6() { return try_bind_ipv6(in6addr_loopback, 0) == 0; }

Result<void> check_ports_free(std::initializer_list<int> ports, Reach reach) {
    std::vector<std::string> taken;
    std::vector<std::string> questions;
    for (const int port : ports) {
        if (!is_taken(port, reach))
            continue;
        taken.push_back(fmt::format("another program than nginx listens on port {}", port));
        questions.push_back(fmt::format("sport = :{}", port));
    }
    if (taken.empty())
        return {};
    return fail(ErrorCode::web, fmt::format("{}", fmt::join(taken, "\n")),
                fmt::format("ss -ltnp '{}' tells which; stop it, or set another port", fmt::join(questions, " or ")));
}

Result<bool> nginx_runs(Units& units) {
    COMMENTO_ASSIGN(const UnitState state, units.state(kNginxService));
    return state.active == "active" || state.active == "reloading" || state.active == "activating";
}

Result<std::set<std::uint32_t>> accepting_workers(Units& units) {
    COMMENTO_ASSIGN(const auto processes, units.processes(kNginxService));
    std::set<std::uint32_t> workers;
    for (const auto& [id, title] : processes) {
        // ngx_process_cycle.c adds "is shutting down" to the title when it closes the listening sockets.
        if (title.find("worker process") != std::string::npos && title.find("shutting down") == std::string::npos)
            workers.insert(id);
    }
    return workers;
}

Result<void> test_configuration() {
    COMMENTO_ASSIGN(const Outcome outcome, run_program({"nginx", "-t"}, kLimit));
    if (outcome.status == 0)
        return {};
    return fail(ErrorCode::web, refusal_in(outcome.output));
}

std::string refusal_in(std::string_view output) {
    std::string lines;
    for (std::size_t begin = 0; begin < output.size();) {
        const auto end = std::min(output.find('\n', begin), output.size());
        const auto line = output.substr(begin, end - begin);
        if (line.find("[emerg]") != std::string_view::npos)
            lines += fmt::format("{}{}", lines.empty() ? "" : "\n", line);
        begin = end + 1;
    }
    return lines.empty() ? std::string(output) : lines;
}

} // namespace commento
