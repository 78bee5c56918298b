#pragma once
// What authorities say about when to renew (ARI, RFC 9773), on disk, so that they are asked as seldom as they want.

#include "acme/acme_client.hpp"
#include "base/error.hpp"
#include "cert/generation.hpp"
#include "cert/site.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace commento {

struct Advice {
    std::string fingerprint; ///< of the certificate that it is for
    std::int64_t start;      ///< of the window, seconds since 1970; 0: nothing is known
    std::int64_t end;
    std::int64_t chosen; ///< a moment in the window, by chance (RFC 9773, 4.2)
    std::int64_t ask_again;
    std::string explanation; ///< may be empty

    bool operator==(const Advice&) const = default;
};

/// renewal.json's text, and back; nothing where it is not that.
std::string to_text(const Advice& advice);
std::optional<Advice> advice_from(std::string_view text);

/// What is on disk for this certificate.
std::optional<Advice> last_advice(const Site& site, const Generation& generation);

/// Asks authorities where it is time to, over one connection each. One that does not answer is not asked again in this
/// run, and for a certificate that it would have answered for, not for an hour.
class Adviser {
  public:
    /// What is known by now of a live certificate. A failure is warned of, and what was known stays.
    std::optional<Advice> ask(const Site& site, const Generation& live, std::int64_t now);

  private:
    HttpClient& client_for(const Site& site);

    std::map<std::string, HttpClient> clients_{}; ///< by the file of the certificates that they trust
    std::set<std::string> silent_{};
};

} // namespace commento
