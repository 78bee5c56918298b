#pragma once
// A certificate chain and its private key, the two texts that nginx is given.

#include <cstdint>
#include <string>

namespace commento {

struct Pair {
    std::string chain; ///< PEM, the server's own certificate first
    std::string key;   ///< PEM

    bool operator==(const Pair&) const = default;
};

/// Why these two can't be used together (one does not load, they do not match); empty when they can.
std::string problem_with(const Pair& pair);

/// Also: why a server must not be given them for `domain` now. Dates, names, the order of the chain, and what
/// OpenSSL refuses at this host's security level, as nginx will.
std::string problem_with(const Pair& pair, const std::string& domain, std::int64_t now);

} // namespace commento
