#pragma once
// This host's addresses, and who listens at its ports.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace commento {

/// Addresses of this host's interfaces that others could reach: of the loopback and of links only (fe80::) none.
/// `type` is "A" for IPv4, "AAAA" for IPv6.
std::vector<std::string> own_addresses(std::string_view type);

/// Those of them that are good for the whole Internet: not RFC 1918, RFC 6598 (100.64/10) or RFC 4193 (fc00::/7).
std::vector<std::string> public_addresses(std::string_view type);

/// Whether it is one of this host's.
bool is_own_address(const std::string& address);

struct Listener {
    std::string address; ///< as inet_ntop(3) writes it; 0.0.0.0 and :: for all of them
    std::string program; ///< its name as the kernel has it (comm); empty where the caller may not see it
    std::string unit;    ///< of systemd; empty likewise
};

/// Who listens at a TCP port, from /proc (proc(5)); only root sees of others who they are.
std::vector<Listener> listeners_at(int port, const Paths& paths);

} // namespace commento
