#pragma once
// The last line of defence: our programs log no secret, but what they run, and servers that they quote, may.

#include "config/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace commento {

class Scrubber {
  public:
    explicit Scrubber(std::vector<std::string> secrets);

    /// `text` with three asterisks for each of the secrets, as it is and percent-encoded, and for the password in each
    /// address that has one (scheme://user:password@host).
    std::string clean(std::string_view text) const;

    /// An error whose message and hint are clean.
    Error clean(Error error) const;

  private:
    std::vector<std::string> secrets_; ///< longest first: one may be a part of another
};

/// Every value of a secret key, and what it holds that is secret by itself: the password in the address of a database,
/// what follows the host of the webhook, and
/// its longer pieces. `more`: texts of further files with KEY=value lines, all of whose values
/// count.
std::vector<std::string> secrets_of(const Settings& settings, const std::vector<std::string>& more);

} // namespace commento
