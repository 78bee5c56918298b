#pragma once
#include <string>
#include <vector>

namespace commento {

/// What is wrong, as seen from here, with how an authority will come for a file of the challenge folder: a line for
/// each name that has no address in DNS, and for each address of a name at which `path` does not show `content`. For
/// warnings only: a host behind a router may not reach its own public address. Names are host names; an authority comes
/// to port 80 (RFC 8555, 8.3). Takes up to 2 s for an address that is silent.
std::vector<std::string> doubts_from_outside(const std::vector<std::string>& names, const std::string& path,
                                             const std::string& content, int port = 80);

} // namespace commento
