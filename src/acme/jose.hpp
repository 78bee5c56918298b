#pragma once
// The part of JOSE that ACME uses: flattened JWS (RFC 7515), ES256 (RFC 7518, 3.4), JWK thumbprints (RFC 7638).

#include "base/error.hpp"
#include "acme/key.hpp"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace commento {

/// RFC 4648, 5, without padding.
std::string base64url(std::string_view bytes);

/// True for a text that is not empty and holds letters of base64url only.
bool is_base64url(std::string_view text);

/// The public part of a P-256 key, with its required members only.
nlohmann::json public_jwk(const EVP_PKEY* key);

/// Thumbprint of a JWK that has its required members only, base64url.
std::string thumbprint(const nlohmann::json& jwk);

/// A JWS in flattened JSON. `header` is the protected header without "alg"; the key is a P-256 one.
Result<std::string> sign_jws(EVP_PKEY* key, const nlohmann::json& header, std::string_view payload);

} // namespace commento
