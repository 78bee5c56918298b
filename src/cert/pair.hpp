#pragma once
// A certificate chain and its private key, the two texts that nginx is given.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace commento {

struct Pair {
    std::string chain; ///< PEM, the server's own certificate first
    std::string key;   ///< PEM

    bool operator==(const Pair&) const = default;
};

/// Why these two can't be used together (one does not load, they do not match); empty when they can.
std::string problem_with(const Pair& pair);

/// Also: why a server must not be given them for these names now (host names, wildcards, IP addresses). Dates, names,
/// the order of the chain, and what OpenSSL refuses at this host's security level, as nginx will.
std::string problem_with(const Pair& pair, const std::vector<std::string>& names, std::int64_t now);

struct Verdict {
    std::string problem; ///< why visitors could not accept the chain; empty where they could
    std::string warning; ///< what may be in their way, but need not
};

/// The same as problem_with(), and the chain up to a root as a visitor verifies it (RFC 5280, 6). A root that is
/// neither among the system's certificates nor in `ca_file` (PEM; may be empty) is a warning only: authorities for
/// tests and for an intranet have their own.
Verdict judge(const Pair& pair, const std::vector<std::string>& names, const std::filesystem::path& ca_file,
              std::int64_t now);

} // namespace commento
