#include "acme/challenge.hpp"

#include "base/hex.hpp"

#include <gtest/gtest.h>

namespace commento {
namespace {

const Challenge kChallenge{.name = "comments.example", .type = "dns-01", .url = "", .token = "abc", .content = "abc"};

TEST(Challenge, IsAnsweredByTheDigestOfItsContent) {
    const std::string digest = digest_of(kChallenge);
    EXPECT_EQ(to_hex({reinterpret_cast<const unsigned char*>(digest.data()), digest.size()}),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); // FIPS 180-4, example of SHA-256
}

TEST(Challenge, IsAnsweredInDnsByThatDigestInBase64url) {
    EXPECT_EQ(record_of(kChallenge), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

} // namespace
} // namespace commento
