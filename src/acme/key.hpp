#pragma once
// Private keys of certificates and of ACME accounts.

#include "base/error.hpp"
#include "net/openssl.hpp"

#include <string>
#include <string_view>

namespace commento {

using PrivateKey = Owned<EVP_PKEY>;

/// A new key. `word` is one of the setting TLS_KEY_TYPE. RSA takes up to seconds.
Result<PrivateKey> make_key(std::string_view word);

/// The word of TLS_KEY_TYPE that a key is; empty for one that the setting has no word for.
std::string_view type_of(const EVP_PKEY* key);

/// PKCS #8, PEM, without passphrase.
std::string to_pem(const EVP_PKEY* key);

/// The first private key of a PEM text; null when there is none, or only one under a passphrase.
PrivateKey parse_key(std::string_view pem);

} // namespace commento
