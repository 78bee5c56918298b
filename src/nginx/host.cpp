#include "nginx/host.hpp"

#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/process.hpp"

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <regex>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace commento {
namespace {

// nginx -t resolves the names in all of the host's sites.
constexpr std::chrono::seconds kLimit{60};

/// errno of binding a TCP socket as nginx does; 0 when it could.
int try_bind(Transport transport, int family, const sockaddr* address, socklen_t size) {
    const int type = transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM;
    const Fd socket(::socket(family, type | SOCK_CLOEXEC, 0));
    if (!socket)
        return errno;
    const int on = 1;
    if (transport == Transport::tcp)
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return ::bind(socket.get(), address, size) == 0 ? 0 : errno;
}

int try_bind_ipv4(const Port& port) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(static_cast<std::uint16_t>(port.number));
    return try_bind(port.transport, AF_INET, reinterpret_cast<const sockaddr*>(&any), sizeof any);
}

int try_bind_ipv6(const in6_addr& address, const Port& port) {
    sockaddr_in6 target{};
    target.sin6_family = AF_INET6;
    target.sin6_addr = address;
    target.sin6_port = htons(static_cast<std::uint16_t>(port.number));
    return try_bind(port.transport, AF_INET6, reinterpret_cast<const sockaddr*>(&target), sizeof target);
}

bool is_taken(const Port& port, Reach reach) {
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

Host describe_host(NginxVersion version, bool ipv6, std::string_view build, std::string_view configuration) {
    const auto has = [](std::string_view text, const char* pattern) {
        return std::regex_search(text.begin(), text.end(), std::regex(pattern));
    };
    Host host{version, ipv6};
    host.http3 = has(build, "--with-http_v3_module");
    host.brotli =
        has(build, "--add-module=[^ ]*brotli") || has(configuration, "(^|\n)[ \t]*load_module[ \t]+[^;]*brotli_static");
    std::match_results<std::string_view::const_iterator> parts;
    if (std::regex_search(configuration.begin(), configuration.end(), parts,
                          std::regex("(^|\n)[ \t]*worker_connections[ \t]+(\\d{1,8})")))
        host.connections = std::stoi(parts[2].str());
    return host;
}

Result<Host> look_at_host() {
    const auto build = run_program({"nginx", "-V"}, kLimit);
    if (!build)
        return fail(ErrorCode::web, build.error().message, build.error().hint);
    COMMENTO_ASSIGN(const NginxVersion version, parse_version(build->output));
    // Modules and workers stand at its beginning: the dump may be cut.
    COMMENTO_ASSIGN(const Outcome dump, run_program({"nginx", "-T"}, kLimit));
    return describe_host(version, has_ipv6(), build->output, dump.status == 0 ? dump.output : std::string());
}

bool has_ipv6() { return try_bind_ipv6(in6addr_loopback, {0}) == 0; }

Result<void> check_ports_free(const std::vector<Port>& ports, Reach reach) {
    std::vector<std::string> taken;
    std::vector<std::string> questions;
    for (const auto& port : ports) {
        if (!is_taken(port, reach))
            continue;
        taken.push_back(fmt::format("another program than nginx listens on {}port {}",
                                    port.transport == Transport::udp ? "UDP " : "", port.number));
        questions.push_back(fmt::format("sport = :{}", port.number));
    }
    if (taken.empty())
        return {};
    return fail(ErrorCode::web, fmt::format("{}", fmt::join(taken, "\n")),
                fmt::format("ss -lntup '{}' tells which; stop it, or set another port", fmt::join(questions, " or ")));
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

Result<void> note_leaving_workers(const Paths& paths, Units& units) {
    constexpr mode_t kFolderMode = 0755;
    constexpr mode_t kMode = 0644;
    COMMENTO_ASSIGN(const auto workers, accepting_workers(units));
    COMMENTO_CHECK(make_folder(paths.run(), kFolderMode));
    return write_file(paths.leaving_workers(), fmt::format("{}\n", fmt::join(workers, " ")), kMode);
}

std::set<std::uint32_t> take_leaving_workers(const Paths& paths) {
    std::istringstream numbers(read_file(paths.leaving_workers()).value_or(""));
    std::set<std::uint32_t> workers;
    for (std::uint32_t number = 0; numbers >> number;)
        workers.insert(number);
    std::error_code fault;
    std::filesystem::remove(paths.leaving_workers(), fault);
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
