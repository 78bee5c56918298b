#include "acme/jwk.hpp"

#include "acme/jose.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace commento {
namespace {

using nlohmann::json;

class EveryAccountKey : public testing::TestWithParam<const char*> {};

TEST_P(EveryAccountKey, IsTheSameAfterwards) {
    const PrivateKey key = make_key(GetParam()).value();
    const PrivateKey read = parse_jwk(json::parse(private_jwk(key.get()).dump()));
    ASSERT_TRUE(read);
    EXPECT_EQ(EVP_PKEY_eq(read.get(), key.get()), 1);
    EXPECT_EQ(to_pem(read.get()), to_pem(key.get()));
}

INSTANTIATE_TEST_SUITE_P(Jwk, EveryAccountKey, testing::Values("ecdsa-p256", "ecdsa-p384", "rsa-2048"));

TEST(Jwk, HoldsThePublicMembersToo) {
    const PrivateKey key = make_key("ecdsa-p256").value();
    json jwk = private_jwk(key.get());
    jwk.erase("d");
    EXPECT_EQ(jwk, public_jwk(key.get()));
}

TEST(Jwk, KeepsTheLengthOfASmallPrivateNumber) {
    // About one key in 256 begins with a zero byte.
    for (int i = 0; i < 1000; ++i) {
        const json jwk = private_jwk(make_key("ecdsa-p256").value().get());
        ASSERT_EQ(decode_base64url(jwk.at("d").get<std::string>()).value().size(), 32U);
    }
}

TEST(Jwk, OfWhatCannotSignIsNoKey) {
    const json ec = private_jwk(make_key("ecdsa-p256").value().get());
    const json rsa = private_jwk(make_key("rsa-2048").value().get());
    const json small = private_jwk(PrivateKey(EVP_RSA_gen(1024)).get());
    EXPECT_FALSE(parse_jwk(small));
    EXPECT_FALSE(parse_jwk(json::object()));
    EXPECT_FALSE(parse_jwk(json::array()));
    for (const json& whole : {ec, rsa}) {
        for (const auto& [name, value] : whole.items()) {
            json lacking = whole;
            lacking.erase(name);
            EXPECT_FALSE(parse_jwk(lacking)) << name;
            json wrong = whole;
            wrong[name] = 1;
            EXPECT_FALSE(parse_jwk(wrong)) << name;
            wrong[name] = "?";
            EXPECT_FALSE(parse_jwk(wrong)) << name;
        }
    }
}

TEST(Jwk, WithMembersThatDoNotBelongTogetherIsNoKey) {
    for (const char* type : {"ecdsa-p256", "rsa-2048"}) {
        const json one = private_jwk(make_key(type).value().get());
        const json other = private_jwk(make_key(type).value().get());
        for (const char* name : {"d", "x", "n", "p"}) {
            json mixed = one;
            if (!mixed.contains(name))
                continue;
            mixed[name] = other[name];
            EXPECT_FALSE(parse_jwk(mixed)) << type << " " << name;
        }
    }
}

TEST(Jwk, OfGiganticNumbersIsNoKey) {
    json jwk = private_jwk(make_key("rsa-2048").value().get());
    jwk["n"] = std::string(std::size_t{100'000}, 'v');
    EXPECT_FALSE(parse_jwk(jwk));
}

} // namespace
} // namespace commento
