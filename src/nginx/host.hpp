#pragma once
// What this host and its nginx are like.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "base/units.hpp"

#include <array>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

namespace commento {

using NginxVersion = std::array<int, 3>;

struct Host {
    NginxVersion nginx;
    bool ipv6;
    bool http3 = false;  ///< nginx can
    bool brotli = false; ///< nginx has the module that serves files compressed beforehand
    int connections = 0; ///< of each worker (worker_connections); 0: not known
};

/// The version in what `nginx -v` prints. ErrorCode::web when there is none.
Result<NginxVersion> parse_version(std::string_view output);

/// What nginx was built with and has loaded: from what `nginx -V` and `nginx -T` print.
Host describe_host(NginxVersion version, bool ipv6, std::string_view build, std::string_view configuration);

/// Asks nginx for its version, build and configuration, and the kernel for IPv6. ErrorCode::web when nginx can't be
/// run. Where it refuses its configuration, no module counts as loaded.
Result<Host> look_at_host();

/// Whether the loopback has the address ::1. It has not where the kernel's IPv6 is off or disabled by sysctl; there
/// nginx may not even be able to open an IPv6 socket.
bool has_ipv6();

enum class Reach { ipv4, ipv4_and_ipv6 };

enum class Transport { tcp, udp };

struct Port {
    int number;
    Transport transport = Transport::tcp;
};

/// Fails with ErrorCode::web, naming each port that nginx could not listen on because another program does. To be asked
/// while nginx does not run.
Result<void> check_ports_free(const std::vector<Port>& ports, Reach reach);

inline constexpr const char* kNginxService = "nginx.service";

/// Whether systemd runs nginx, or is about to.
Result<bool> nginx_runs(Units& units);

/// Process ids of nginx's workers that take new connections: all but those that only end the ones they have.
Result<std::set<std::uint32_t>> accepting_workers(Units& units);

/// Notes them below /run, just before nginx is asked to reload by somebody who does not wait for its end.
Result<void> note_leaving_workers(const Paths& paths, Units& units);

/// Those that were noted last; once.
std::set<std::uint32_t> take_leaving_workers(const Paths& paths);

/// What `nginx -t` says about all of nginx's configuration. ErrorCode::web, with nginx's own [emerg] lines as the
/// message, when it is refused; ErrorCode::internal when it can't be run. It binds the ports and opens the logs, so it
/// needs the rights of nginx's master process.
Result<void> test_configuration();

/// The lines in the output of `nginx -t` that say why it refused; all of it when none does.
std::string refusal_in(std::string_view output);

} // namespace commento
