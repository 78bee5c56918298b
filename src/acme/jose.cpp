#include "acme/jose.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <openssl/core_names.h>
#include <vector>

namespace commento {
namespace {

using nlohmann::json;

constexpr int kCoordinate = 32; // bytes of a P-256 number

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// A number as fixed-size, base64url text (RFC 7518, 6.2.1.2).
std::string coordinate(const EVP_PKEY* key, const char* name) {
    BIGNUM* number = nullptr;
    EVP_PKEY_get_bn_param(key, name, &number);
    const Owned<BIGNUM> owned(number);
    std::string bytes(kCoordinate, '\0');
    BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), kCoordinate);
    return base64url(bytes);
}

/// OpenSSL signs in DER; JWS wants both numbers side by side (RFC 7518, 3.4).
std::string side_by_side(const std::vector<unsigned char>& der) {
    const unsigned char* start = der.data();
    const Owned<ECDSA_SIG> signature(d2i_ECDSA_SIG(nullptr, &start, static_cast<long>(der.size())));
    std::string bytes(std::size_t{2} * kCoordinate, '\0');
    auto* target = reinterpret_cast<unsigned char*>(bytes.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), target, kCoordinate);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), target + kCoordinate, kCoordinate);
    return bytes;
}

Result<std::string> sign_es256(EVP_PKEY* key, std::string_view text) {
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    std::size_t size = 0;
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, bytes_of(text), text.size()) != 1)
        return fail(ErrorCode::internal, "cannot sign with the account key");
    std::vector<unsigned char> der(size);
    if (EVP_DigestSign(context.get(), der.data(), &size, bytes_of(text), text.size()) != 1)
        return fail(ErrorCode::internal, "cannot sign with the account key");
    der.resize(size);
    return side_by_side(der);
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

bool is_base64url(std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

json public_jwk(const EVP_PKEY* key) {
    return {{"crv", "P-256"},
            {"kty", "EC"},
            {"x", coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X)},
            {"y", coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y)}};
}

std::string thumbprint(const json& jwk) {
    // nlohmann::json keeps members in the order of their names and writes no space: RFC 7638's canonical form.
    const std::string canonical = jwk.dump();
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned int size = 0;
    EVP_Digest(canonical.data(), canonical.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha256(),
               nullptr);
    digest.resize(size);
    return base64url(digest);
}

Result<std::string> sign_jws(EVP_PKEY* key, const json& header, std::string_view payload) {
    json complete = header;
    complete["alg"] = "ES256";
    const std::string protected_part = base64url(complete.dump());
    const std::string payload_part = base64url(payload);
    COMMENTO_ASSIGN(const std::string signature, sign_es256(key, protected_part + "." + payload_part));
    return json{{"protected", protected_part}, {"payload", payload_part}, {"signature", base64url(signature)}}.dump();
}

} // namespace commento
