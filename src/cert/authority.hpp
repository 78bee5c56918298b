#pragma once
#include "acme/acme_client.hpp"
#include "base/error.hpp"
#include "base/paths.hpp"
#include "cert/site.hpp"

#include <string>

namespace commento {

/// A client for an authority with the account that there is for it, or a new key for one; signed in, and what the
/// authority said of the account kept. A change of the account's key that was cut off is settled first.
Result<AcmeClient> sign_in(const Paths& paths, const Settings& settings, const std::string& directory);

/// The same without a request: for who needs to know what happened in a failed sign_in().
Result<AcmeClient> client_for(const Paths& paths, const Settings& settings, const std::string& directory);
Result<void> sign_in(AcmeClient& client, const Paths& paths, const Settings& settings, const std::string& directory);

} // namespace commento
