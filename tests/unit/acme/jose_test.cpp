#include "acme/jose.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace commento {
namespace {

using nlohmann::json;

TEST(Base64url, EncodesTheVectorsOfRfc4648WithoutPadding) {
    EXPECT_EQ(base64url(""), "");
    EXPECT_EQ(base64url("f"), "Zg");
    EXPECT_EQ(base64url("fo"), "Zm8");
    EXPECT_EQ(base64url("foo"), "Zm9v");
    EXPECT_EQ(base64url("foob"), "Zm9vYg");
    EXPECT_EQ(base64url("fooba"), "Zm9vYmE");
    EXPECT_EQ(base64url("foobar"), "Zm9vYmFy");
}

TEST(Base64url, HasLettersOfItsOwnForTheTwoThatAddressesCannotHold) { EXPECT_EQ(base64url("\xfb\xff\xbe"), "-_--"); }

TEST(Base64url, ATokenThatCouldLeadOutOfAFolderIsNone) {
    EXPECT_TRUE(is_base64url("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"));
    EXPECT_FALSE(is_base64url(""));
    EXPECT_FALSE(is_base64url("../../etc/passwd"));
    EXPECT_FALSE(is_base64url("a b"));
    EXPECT_FALSE(is_base64url("a\xc3\xa4"));
}

TEST(Thumbprint, IsThatOfRfc7638) {
    const json key = {
        {"kty", "RSA"},
        {"n",
         "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"
         "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
         "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
         "kEgU8awapJzKnqDKgw"},
        {"e", "AQAB"},
    };
    EXPECT_EQ(thumbprint(key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

/// DER for a signature as JWS has it.
std::string to_der(const std::string& bytes) {
    const auto* start = reinterpret_cast<const unsigned char*>(bytes.data());
    const Owned<ECDSA_SIG> signature(ECDSA_SIG_new());
    ECDSA_SIG_set0(signature.get(), BN_bin2bn(start, 32, nullptr), BN_bin2bn(start + 32, 32, nullptr));
    std::string der(static_cast<std::size_t>(i2d_ECDSA_SIG(signature.get(), nullptr)), '\0');
    auto* target = reinterpret_cast<unsigned char*>(der.data());
    i2d_ECDSA_SIG(signature.get(), &target);
    return der;
}

std::string decode(std::string text) {
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    const std::size_t size = text.size() * 3 / 4;
    text.resize((text.size() + 3) / 4 * 4, '=');
    std::string bytes(text.size(), '\0');
    EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), reinterpret_cast<const unsigned char*>(text.data()),
                    static_cast<int>(text.size()));
    bytes.resize(size);
    return bytes;
}

bool verifies(EVP_PKEY* key, const std::string& text, const std::string& der) {
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key);
    return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(der.data()), der.size(),
                            reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
}

TEST(Jws, HoldsHeaderPayloadAndASignatureThatVerifies) {
    const PrivateKey key = make_key("ecdsa-p256").value();
    // Numbers with leading zeros, one in 128, are where fixed sizes matter.
    for (int i = 0; i < 300; ++i) {
        const json jws = json::parse(sign_jws(key.get(), {{"nonce", "n"}, {"url", "https://ca/"}}, "{}").value());
        const std::string signature = decode(jws["signature"]);
        ASSERT_EQ(signature.size(), 64);
        const std::string text = jws["protected"].get<std::string>() + "." + jws["payload"].get<std::string>();
        ASSERT_TRUE(verifies(key.get(), text, to_der(signature)));
        EXPECT_EQ(json::parse(decode(jws["protected"])),
                  (json{{"alg", "ES256"}, {"nonce", "n"}, {"url", "https://ca/"}}));
        EXPECT_EQ(decode(jws["payload"]), "{}");
    }
}

TEST(Jws, APostAsGetHasAnEmptyPayload) {
    const PrivateKey key = make_key("ecdsa-p256").value();
    EXPECT_EQ(json::parse(sign_jws(key.get(), json::object(), "").value())["payload"], "");
}

TEST(PublicJwk, HasTheRequiredMembersOnlyAndFixedSizes) {
    for (int i = 0; i < 300; ++i) {
        const PrivateKey key = make_key("ecdsa-p256").value();
        const json jwk = public_jwk(key.get());
        EXPECT_EQ(jwk.size(), 4);
        EXPECT_EQ(jwk["x"].get<std::string>().size(), 43);
        EXPECT_EQ(jwk["y"].get<std::string>().size(), 43);
    }
}

TEST(Base64url, IsDecodedToWhatWasEncoded) {
    for (const std::string& bytes :
         {std::string("f"), std::string("fo"), std::string("foo"), std::string("a\0\xff", 3)})
        EXPECT_EQ(decode_base64url(base64url(bytes)), bytes);
    for (const char* text : {"", "a", "a=", "a+b", "ab cd"})
        EXPECT_EQ(decode_base64url(text), std::nullopt) << text;
}

TEST(Jws, OfAnRsaKeyVerifies) {
    const PrivateKey key = make_key("rsa-2048").value();
    const json jws = json::parse(sign_jws(key.get(), {{"nonce", "n"}}, "{}").value());
    const std::string text = jws["protected"].get<std::string>() + "." + jws["payload"].get<std::string>();
    EXPECT_TRUE(verifies(key.get(), text, decode(jws["signature"])));
    EXPECT_EQ(json::parse(decode(jws["protected"]))["alg"], "RS256");
    EXPECT_EQ(public_jwk(key.get())["e"], "AQAB");
}

TEST(Jws, OfAP384KeyHasNumbersOfItsSize) {
    const PrivateKey key = make_key("ecdsa-p384").value();
    const json jws = json::parse(sign_jws(key.get(), {{"nonce", "n"}}, "{}").value());
    EXPECT_EQ(decode(jws["signature"]).size(), 96U);
    EXPECT_EQ(json::parse(decode(jws["protected"]))["alg"], "ES384");
    EXPECT_EQ(public_jwk(key.get())["crv"], "P-384");
}

TEST(Jws, WithAMacIsThatOfAnotherProgram) {
    // printf '%s' TEXT | openssl dgst -sha256 -hmac Jefe; TEXT is header and payload with the dot.
    const json jws = json::parse(sign_jws_with_mac("Jefe", {{"kid", "k"}, {"url", "https://ca/"}}, "{}").value());
    EXPECT_EQ(json::parse(decode(jws["protected"])), (json{{"alg", "HS256"}, {"kid", "k"}, {"url", "https://ca/"}}));
    EXPECT_EQ(jws["protected"], "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsiLCJ1cmwiOiJodHRwczovL2NhLyJ9");
    EXPECT_EQ(jws["signature"], "OP6-wgs5a9FqZUrsIs26qHy5L-MfI2-D7RS15kCcyBw");
}

TEST(Jws, OfAWeakOrUnusualKeyIsNotForAccounts) {
    EXPECT_TRUE(can_sign(make_key("rsa-2048").value().get()));
    EXPECT_TRUE(can_sign(make_key("ecdsa-p384").value().get()));
    const PrivateKey ed25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    EXPECT_FALSE(can_sign(ed25519.get()));
    const PrivateKey small(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}));
    EXPECT_FALSE(can_sign(small.get()));
}

} // namespace
} // namespace commento
