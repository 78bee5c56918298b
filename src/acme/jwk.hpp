#pragma once
// Private keys as JWK (RFC 7517; members: RFC 7518, 6.2 and 6.3): the form in which certbot keeps the keys of accounts.

#include "acme/key.hpp"

#include <nlohmann/json_fwd.hpp>

namespace commento {

/// The JWK of a key that can_sign(), its private members included.
nlohmann::json private_jwk(const EVP_PKEY* key);

/// The key that a private JWK holds. Null where sign_jws() could not use it: another kind, a public key, members that
/// do not belong together, RSA of more than 8192 bits or without its primes.
PrivateKey parse_jwk(const nlohmann::json& jwk);

} // namespace commento
