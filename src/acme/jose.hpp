#pragma once
// The part of JOSE that ACME uses: flattened JWS (RFC 7515) by ES256, ES384, RS256 and HS256 (RFC 7518, 3), JWK
// thumbprints (RFC 7638).

#include "acme/key.hpp"
#include "base/error.hpp"

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace commento {

/// RFC 4648, 5, without padding.
std::string base64url(std::string_view bytes);

/// The bytes of such a text; nothing where it is none.
std::optional<std::string> decode_base64url(std::string_view text);

/// True for a text that is not empty and holds letters of base64url only.
bool is_base64url(std::string_view text);

/// SHA-256, 32 bytes.
std::string sha256(std::string_view bytes);

/// Whether sign_jws() can use a key: P-256, P-384, or RSA of 2048 bits and more.
bool can_sign(const EVP_PKEY* key);

/// The public part of such a key, with its required members only.
nlohmann::json public_jwk(const EVP_PKEY* key);

/// Thumbprint of a JWK that has its required members only, base64url.
std::string thumbprint(const nlohmann::json& jwk);

/// A JWS in flattened JSON. `header` is the protected header without "alg".
Result<std::string> sign_jws(EVP_PKEY* key, const nlohmann::json& header, std::string_view payload);

/// The same by HS256 with a secret that both sides know.
Result<std::string> sign_jws_with_mac(std::string_view mac_key, const nlohmann::json& header, std::string_view payload);

} // namespace commento
