#include "acme/jwk.hpp"

#include "acme/jose.hpp"
#include "acme/json.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace commento {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestNumber = 1024; // bytes; a larger RSA key takes minutes to check

struct Member {
    const char* name;      ///< in the JWK
    const char* parameter; ///< EVP_PKEY-RSA(7)
};

constexpr std::array kRsaMembers{
    Member{"n", OSSL_PKEY_PARAM_RSA_N},          Member{"e", OSSL_PKEY_PARAM_RSA_E},
    Member{"d", OSSL_PKEY_PARAM_RSA_D},          Member{"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
    Member{"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    Member{"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
    Member{"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, Member{"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// A number of the key, base64url, with at least `size` bytes.
std::string number_text(const EVP_PKEY* key, const char* parameter, int size) {
    BIGNUM* number = nullptr;
    EVP_PKEY_get_bn_param(key, parameter, &number);
    const Owned<BIGNUM> owned(number);
    std::string bytes(static_cast<std::size_t>(std::max(size, BN_num_bytes(number))), '\0');
    BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    return base64url(bytes);
}

/// The bytes of a member; nothing where it is missing, no base64url, or too large.
std::optional<std::string> member_bytes(const json& jwk, const char* name) {
    auto bytes = decode_base64url(text_field(jwk, name));
    if (!bytes || bytes->empty() || bytes->size() > kLargestNumber)
        return std::nullopt;
    return bytes;
}

/// Collects what OpenSSL makes a key from.
class KeyParts {
  public:
    bool add_number(const char* parameter, const std::optional<std::string>& bytes) {
        if (!bytes)
            return false;
        numbers_.emplace_back(BN_bin2bn(bytes_of(*bytes), static_cast<int>(bytes->size()), nullptr));
        return OSSL_PARAM_BLD_push_BN(builder_.get(), parameter, numbers_.back().get()) == 1;
    }

    bool add_text(const char* parameter, const std::string& text) {
        return OSSL_PARAM_BLD_push_utf8_string(builder_.get(), parameter, text.c_str(), 0) == 1;
    }

    bool add_bytes(const char* parameter, const std::string& bytes) {
        return OSSL_PARAM_BLD_push_octet_string(builder_.get(), parameter, bytes.data(), bytes.size()) == 1;
    }

    /// Null where the parts do not belong together.
    PrivateKey make(const char* algorithm) const {
        const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(
            OSSL_PARAM_BLD_to_param(builder_.get()), &OSSL_PARAM_free);
        const Context maker(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr), &EVP_PKEY_CTX_free);
        EVP_PKEY* made = nullptr;
        if (EVP_PKEY_fromdata_init(maker.get()) != 1 ||
            EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_KEYPAIR, parameters.get()) != 1)
            return nullptr;
        PrivateKey key(made);
        const Context checker(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr), &EVP_PKEY_CTX_free);
        return EVP_PKEY_check(checker.get()) == 1 ? std::move(key) : nullptr;
    }

  private:
    using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

    std::vector<Owned<BIGNUM>> numbers_{}; // the builder only points at them
    std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder_{OSSL_PARAM_BLD_new(),
                                                                             &OSSL_PARAM_BLD_free};
};

PrivateKey parse_rsa(const json& jwk) {
    KeyParts parts;
    const bool complete = std::ranges::all_of(kRsaMembers, [&](const Member& member) {
        return parts.add_number(member.parameter, member_bytes(jwk, member.name));
    });
    return complete ? parts.make("RSA") : nullptr;
}

PrivateKey parse_ec(const json& jwk) {
    const auto x = member_bytes(jwk, "x");
    const auto y = member_bytes(jwk, "y");
    if (!x || !y)
        return nullptr;
    KeyParts parts;
    const std::string curve = text_field(jwk, "crv"); // the parts keep a pointer to it
    const std::string point = '\x04' + *x + *y;       // uncompressed (SEC 1, 2.3.3)
    const bool complete = parts.add_text(OSSL_PKEY_PARAM_GROUP_NAME, curve) &&
                          parts.add_bytes(OSSL_PKEY_PARAM_PUB_KEY, point) &&
                          parts.add_number(OSSL_PKEY_PARAM_PRIV_KEY, member_bytes(jwk, "d"));
    return complete ? parts.make("EC") : nullptr;
}

} // namespace

json private_jwk(const EVP_PKEY* key) {
    json jwk = public_jwk(key);
    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        for (const auto& member : kRsaMembers)
            jwk[member.name] = number_text(key, member.parameter, 1);
    } else {
        // As many bytes as the order of the curve has (RFC 7518, 6.2.2.1).
        jwk["d"] = number_text(key, OSSL_PKEY_PARAM_PRIV_KEY, (EVP_PKEY_get_bits(key) + 7) / 8);
    }
    return jwk;
}

PrivateKey parse_jwk(const json& jwk) {
    const std::string kind = text_field(jwk, "kty");
    PrivateKey key = kind == "RSA" ? parse_rsa(jwk) : kind == "EC" ? parse_ec(jwk) : nullptr;
    ERR_clear_error();
    return key && can_sign(key.get()) ? std::move(key) : nullptr;
}

} // namespace commento
