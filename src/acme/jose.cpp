#include "acme/jose.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <vector>

namespace commento {
namespace {

using nlohmann::json;

struct Curve {
    const char* name;      ///< as in a JWK
    const char* algorithm; ///< as in a JWS
    std::size_t size;      ///< bytes of one of its numbers
    const EVP_MD* (*digest)();
};

constexpr int kP384Bits = 384;
constexpr int kLeastRsaBits = 2048;
constexpr Curve kP256{"P-256", "ES256", 32, &EVP_sha256};
constexpr Curve kP384{"P-384", "ES384", 48, &EVP_sha384};

const Curve& curve_of(const EVP_PKEY* key) { return EVP_PKEY_get_bits(key) == kP384Bits ? kP384 : kP256; }

bool is_rsa(const EVP_PKEY* key) { return EVP_PKEY_is_a(key, "RSA") == 1; }

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// A number of the key as base64url text: of at least `size` bytes (RFC 7518, 6.2.1.2), else as short as it can be.
std::string number(const EVP_PKEY* key, const char* name, std::size_t size = 0) {
    BIGNUM* found = nullptr;
    EVP_PKEY_get_bn_param(key, name, &found);
    const Owned<BIGNUM> owned(found);
    std::string bytes(std::max(size, static_cast<std::size_t>(BN_num_bytes(found))), '\0');
    BN_bn2binpad(found, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    return base64url(bytes);
}

/// OpenSSL signs in DER; JWS wants both numbers side by side (RFC 7518, 3.4).
std::string side_by_side(std::string_view der, std::size_t size) {
    const unsigned char* start = bytes_of(der);
    const Owned<ECDSA_SIG> signature(d2i_ECDSA_SIG(nullptr, &start, static_cast<long>(der.size())));
    std::string bytes(2 * size, '\0');
    auto* target = reinterpret_cast<unsigned char*>(bytes.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), target, static_cast<int>(size));
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), target + size, static_cast<int>(size));
    return bytes;
}

/// As OpenSSL writes it.
Result<std::string> sign(EVP_PKEY* key, const EVP_MD* digest, std::string_view text) {
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    std::size_t size = 0;
    if (EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, bytes_of(text), text.size()) != 1)
        return fail(ErrorCode::internal, "cannot sign with the account key");
    std::string signature(size, '\0');
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes_of(text),
                       text.size()) != 1)
        return fail(ErrorCode::internal, "cannot sign with the account key");
    signature.resize(size);
    return signature;
}

/// The two parts that are signed, and later sent.
struct Parts {
    std::string header;
    std::string payload;

    std::string to_sign() const { return header + "." + payload; }
    std::string with(std::string_view signature) const {
        return json{{"protected", header}, {"payload", payload}, {"signature", base64url(signature)}}.dump();
    }
};

Parts make_parts(const json& header, const char* algorithm, std::string_view payload) {
    json complete = header;
    complete["alg"] = algorithm;
    return {base64url(complete.dump()), base64url(payload)};
}

} // namespace

std::string base64url(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    text.erase(std::ranges::find(text, '='), text.end());
    return text;
}

std::optional<std::string> decode_base64url(std::string_view text) {
    constexpr std::size_t kGroup = 4;
    if (!is_base64url(text) || text.size() % kGroup == 1)
        return std::nullopt;
    std::string standard(text);
    std::ranges::replace(standard, '-', '+');
    std::ranges::replace(standard, '_', '/');
    const std::size_t padding = (kGroup - text.size() % kGroup) % kGroup;
    standard.append(padding, '=');
    std::string bytes(standard.size() / kGroup * 3, '\0');
    if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(standard),
                        static_cast<int>(standard.size())) < 0)
        return std::nullopt;
    bytes.resize(bytes.size() - padding);
    return bytes;
}

bool is_base64url(std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

std::string sha256(std::string_view bytes) {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha256(),
               nullptr);
    digest.resize(size);
    return digest;
}

bool can_sign(const EVP_PKEY* key) {
    if (is_rsa(key))
        return EVP_PKEY_get_bits(key) >= kLeastRsaBits;
    const std::string_view type = type_of(key);
    return type == "ecdsa-p256" || type == "ecdsa-p384";
}

json public_jwk(const EVP_PKEY* key) {
    if (is_rsa(key))
        return {{"e", number(key, OSSL_PKEY_PARAM_RSA_E)}, {"kty", "RSA"}, {"n", number(key, OSSL_PKEY_PARAM_RSA_N)}};
    const Curve& curve = curve_of(key);
    return {{"crv", curve.name},
            {"kty", "EC"},
            {"x", number(key, OSSL_PKEY_PARAM_EC_PUB_X, curve.size)},
            {"y", number(key, OSSL_PKEY_PARAM_EC_PUB_Y, curve.size)}};
}

std::string thumbprint(const json& jwk) {
    // nlohmann::json keeps members in the order of their names and writes no space: RFC 7638's canonical form.
    return base64url(sha256(jwk.dump()));
}

Result<std::string> sign_jws(EVP_PKEY* key, const json& header, std::string_view payload) {
    if (is_rsa(key)) {
        const Parts parts = make_parts(header, "RS256", payload);
        COMMENTO_ASSIGN(const std::string signature, sign(key, EVP_sha256(), parts.to_sign()));
        return parts.with(signature);
    }
    const Curve& curve = curve_of(key);
    const Parts parts = make_parts(header, curve.algorithm, payload);
    COMMENTO_ASSIGN(const std::string signature, sign(key, curve.digest(), parts.to_sign()));
    return parts.with(side_by_side(signature, curve.size));
}

Result<std::string> sign_jws_with_mac(std::string_view mac_key, const json& header, std::string_view payload) {
    const Parts parts = make_parts(header, "HS256", payload);
    const std::string text = parts.to_sign();
    std::string mac(EVP_MAX_MD_SIZE, '\0');
    unsigned int size = 0;
    if (HMAC(EVP_sha256(), mac_key.data(), static_cast<int>(mac_key.size()), bytes_of(text), text.size(),
             reinterpret_cast<unsigned char*>(mac.data()), &size) == nullptr)
        return fail(ErrorCode::internal, "cannot sign with the key for external account binding");
    mac.resize(size);
    return parts.with(mac);
}

} // namespace commento
