#pragma once
// Which name, and in which zone, has to hold the record that dns-01 wants (RFC 8555, 8.4).

#include "base/paths.hpp"
#include "proof/dns_client.hpp"

#include <span>
#include <string>
#include <vector>

namespace commento {

/// The resolvers of etc/resolv.conf.
std::vector<DnsServer> host_resolvers(const Paths& paths);

/// Where the record for a name of the certificate (a wildcard, too) belongs: _acme-challenge.NAME, or what that is an
/// alias of (CNAME), at most 8 steps on. The server is asked first and, for names that it is not authoritative for, the
/// resolvers. ErrorCode::settings for a loop or more steps; ErrorCode::network where nobody knows.
Result<std::string> record_name(const std::string& name, const DnsServer& server, std::span<const DnsServer> resolvers);

/// The zone that holds a name, asked at the server that is to change it. ErrorCode::settings where it is not
/// authoritative for it.
Result<std::string> zone_of(const std::string& name, const DnsServer& server);

} // namespace commento
