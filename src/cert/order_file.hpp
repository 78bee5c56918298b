#pragma once
// An order that is not done yet, on disk, so that a run after a crash goes on with it and no issue is spent twice.

#include "acme/key.hpp"
#include "base/error.hpp"
#include "cert/site.hpp"

#include <optional>
#include <string>
#include <vector>

namespace commento {

struct UnfinishedOrder {
    std::string directory;
    std::string account; ///< address of the account that made it
    std::vector<std::string> names;
    std::string profile;
    std::string follows; ///< fingerprint of the certificate that was live then: it is not, once this order is installed
    std::string url;
    PrivateKey key;      ///< of the certificate to be
    std::string request; ///< PKCS #10, DER
};

/// Nothing where there is none, or none that can be read: a new one is made then.
std::optional<UnfinishedOrder> load_order(const Site& site);

/// The file holds a key: 0600.
Result<void> save_order(const Site& site, const UnfinishedOrder& order);

Result<void> forget_order(const Site& site);

} // namespace commento
