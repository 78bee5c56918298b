#pragma once
#include "cert/generation.hpp"
#include "config/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace commento {

/// The certificate that the settings ask for.
struct Wanted {
    std::string domain;
    std::string key_type;
    Origin origin;
};

/// By TLS_MODE acme or selfsigned.
Wanted wanted_by(const Settings& settings);

/// When less than a third of the lifetime is left; half for lifetimes below ten days. Seconds since 1970.
std::int64_t renewal_time(const Generation& generation);

/// Why the certificate in place is not, or not much longer, the wanted one; empty when nothing is due.
std::string why_due(const std::optional<Generation>& live, const Wanted& wanted, std::int64_t now);

/// In a few words, for the log: `generation 0002 for comments.example.org from https://…`.
std::string summary(const Generation& generation);

} // namespace commento
