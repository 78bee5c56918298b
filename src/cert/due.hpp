#pragma once
#include "cert/advice.hpp"
#include "cert/generation.hpp"
#include "cert/site.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace commento {

/// The certificate that a site's settings ask for.
struct Wanted {
    std::vector<std::string> names;
    std::string key_type;
    std::string profile;                  ///< empty: the authority's default
    Source source;                        ///< acme or self_signed
    std::vector<std::string> directories; ///< of the authorities that it may come from, the preferred one first
};

/// TLS_MODE is of the comment server's own certificate only: a further one always comes from an authority.
Wanted wanted_by(const Site& site);

/// When a certificate is to be renewed, seconds since 1970: when the authority advises it, but not after nine tenths of
/// the lifetime; without advice, when a third of the lifetime is left (half, for lifetimes below ten days), up to a
/// tenth of that later, other for each certificate, so that those of one day are not all renewed in one.
std::int64_t renewal_time(const Generation& generation, const std::optional<Advice>& advice);

/// Why the certificate in place is not, or not much longer, the wanted one; empty when nothing is due.
std::string why_due(const std::optional<Generation>& live, const Wanted& wanted, const std::optional<Advice>& advice,
                    std::int64_t now);

/// In a few words, for the log: `generation 0002 for comments.example.org from https://…`.
std::string summary(const Generation& generation);

} // namespace commento
