#include "cert/pair.hpp"

#include "base/clock.hpp"
#include "net/certificate.hpp"
#include "pairs.hpp"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace commento {
namespace {

using testing::HasSubstr;

TEST(Pair, OfOneMakingFits) {
    const Pair pair = make_pair_for(kDomain);
    EXPECT_EQ(problem_with(pair), "");
    EXPECT_EQ(problem_with(pair, {kDomain}, now()), "");
}

TEST(Pair, WithTheKeyOfAnotherIsRefused) {
    const Pair mixed{make_pair_for(kDomain).chain, make_pair_for(kDomain).key};
    EXPECT_THAT(problem_with(mixed), HasSubstr("does not belong"));
    EXPECT_THAT(problem_with(mixed, {kDomain}, now()), HasSubstr("does not belong"));
}

TEST(Pair, WithAPartThatDoesNotLoadIsRefused) {
    const Pair good = make_pair_for(kDomain);
    EXPECT_THAT(problem_with(Pair{"", good.key}), HasSubstr("no certificate"));
    EXPECT_THAT(problem_with(Pair{good.key, good.key}), HasSubstr("no certificate"));
    EXPECT_THAT(problem_with(Pair{good.chain, ""}), HasSubstr("no private key"));
    EXPECT_THAT(problem_with(Pair{good.chain, good.chain}), HasSubstr("no private key"));
    EXPECT_THAT(problem_with(Pair{good.chain.substr(0, good.chain.size() / 2), good.key}), HasSubstr("certificate"));
}

TEST(Pair, WithDamageBehindTheFirstCertificateIsRefused) {
    const Pair good = make_pair_for(kDomain);
    const Pair cut{good.chain + good.chain.substr(0, good.chain.size() - 60), good.key};
    EXPECT_THAT(problem_with(cut), HasSubstr("damaged"));
}

TEST(Pair, WithAKeyUnderAPassphraseIsRefusedAndNobodyIsAsked) {
    const PrivateKey key = make_key("ecdsa-p256").value();
    const Owned<BIO> target(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(target.get(), key.get(), EVP_aes_128_cbc(), "secret", 6, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(target.get(), &text);
    const Pair pair{make_self_signed(key.get(), {kDomain}, std::chrono::hours(1)).value(),
                    std::string(text, static_cast<std::size_t>(size))};
    EXPECT_THAT(problem_with(pair), HasSubstr("passphrase"));
}

TEST(Pair, ForAnotherNameOrTimeIsRefused) {
    const Pair pair = make_pair_for(kDomain);
    EXPECT_THAT(problem_with(pair, {"other.example.org"}, now()), HasSubstr("is for comments.example.org"));
    EXPECT_THAT(problem_with(pair, {kDomain}, now() + 100LL * 24 * 3600), HasSubstr("expired on"));
    EXPECT_THAT(problem_with(pair, {kDomain}, now() - 2 * 3600), HasSubstr("not valid before"));
}

TEST(Pair, WithAWildcardCoversOneLevel) {
    const Pair pair = make_pair_for("*.example.org");
    EXPECT_EQ(problem_with(pair, {kDomain}, now()), "");
    EXPECT_NE(problem_with(pair, {"a.b.example.org"}, now()), "");
}

TEST(Pair, WithAChainInTheWrongOrderIsRefused) {
    const Pair pair = make_pair_for(kDomain);
    const Pair unordered{pair.chain + make_pair_for("other.example.org").chain, pair.key};
    EXPECT_THAT(problem_with(unordered, {kDomain}, now()), HasSubstr("certificate 2 of the chain did not sign"));
}

TEST(Pair, WithAKeyThatNginxWouldRefuseIsRefused) {
    const PrivateKey key(EVP_RSA_gen(1024));
    const Pair pair{make_self_signed(key.get(), {kDomain}, std::chrono::hours(1)).value(), to_pem(key.get())};
    EXPECT_THAT(problem_with(pair, {kDomain}, now()), HasSubstr("key too small"));
}

class EveryKeyType : public testing::TestWithParam<const char*> {};

TEST_P(EveryKeyType, IsMadeRecognizedAndUsable) {
    const PrivateKey key = make_key(GetParam()).value();
    EXPECT_EQ(type_of(key.get()), GetParam());
    EXPECT_EQ(type_of(parse_key(to_pem(key.get())).get()), GetParam());
    const Pair pair{make_self_signed(key.get(), {kDomain}, std::chrono::hours(1)).value(), to_pem(key.get())};
    EXPECT_EQ(problem_with(pair, {kDomain}, now()), "");
    EXPECT_TRUE(make_request(key.get(), {kDomain, "*.example.net", "192.0.2.1", "2001:db8::1"}));
}

INSTANTIATE_TEST_SUITE_P(Key, EveryKeyType,
                         testing::Values("ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096"));

TEST(Key, OfAnUnknownTypeIsNotMade) { EXPECT_EQ(make_key("dsa-512").error().code, ErrorCode::internal); }

TEST(SelfSigned, SaysWhoMadeItAndForWhom) {
    const Certificate made = parse_certificate(make_pair_for(kDomain).chain).value();
    EXPECT_TRUE(made.self_signed);
    EXPECT_EQ(made.issuer, kDomain);
    EXPECT_THAT(made.names, testing::ElementsAre(kDomain));
    EXPECT_LE(made.not_before, now() - 3600);
}

TEST(SelfSigned, ANameLongerThanACommonNameMayBeIsInTheAlternativeNamesOnly) {
    const std::string domain = std::string(60, 'a') + "." + std::string(60, 'b') + ".example.org";
    const Certificate made = parse_certificate(make_pair_for(domain).chain).value();
    EXPECT_EQ(made.issuer, "commento-stack");
    EXPECT_THAT(made.names, testing::ElementsAre(domain));
}

} // namespace
} // namespace commento
