#include "cert/due.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kDay = 24 * 3600;
constexpr std::int64_t kIssued = 1'700'000'000;
const Origin kAuthority{Source::acme, "https://ca.example/directory"};
const Wanted kWanted{{"comments.example.org"}, "ecdsa-p256", {}, Source::acme, {kAuthority.directory}};

Generation generation(std::int64_t lifetime = 90 * kDay) {
    // The share of jitter that this fingerprint stands for is none.
    return {"0001",  {kAuthority},       "ecdsa-p256", "An Authority", "01", {"comments.example.org"},
            kIssued, kIssued + lifetime, "00000000"};
}

TEST(Due, NothingIsWhileTwoThirdsOfTheLifetimeLast) {
    EXPECT_EQ(why_due(generation(), kWanted, {}, kIssued), "");
    EXPECT_EQ(why_due(generation(), kWanted, {}, kIssued + 60 * kDay - 1), "");
    EXPECT_THAT(why_due(generation(), kWanted, {}, kIssued + 60 * kDay), HasSubstr("expires on"));
    EXPECT_THAT(why_due(generation(), kWanted, {}, kIssued + 90 * kDay), HasSubstr("expired on"));
}

TEST(Due, ShortLivedCertificatesAreAtHalfTheirLifetime) {
    EXPECT_EQ(why_due(generation(6 * kDay), kWanted, {}, kIssued + 3 * kDay - 1), "");
    EXPECT_THAT(why_due(generation(6 * kDay), kWanted, {}, kIssued + 3 * kDay), HasSubstr("expires on"));
}

TEST(Due, ACertificateIsWhereThereIsNone) {
    EXPECT_THAT(why_due({}, kWanted, {}, kIssued), HasSubstr("no certificate"));
}

TEST(Due, ThePlaceholderIs) {
    Generation placeholder = generation();
    placeholder.facts.origin = {Source::self_signed};
    EXPECT_THAT(why_due(placeholder, kWanted, {}, kIssued), HasSubstr("self-signed"));
}

TEST(Due, ACertificateOfAnotherDirectoryIs) {
    Generation other = generation();
    other.facts.origin.directory = "https://staging.example/directory";
    EXPECT_THAT(why_due(other, kWanted, {}, kIssued), HasSubstr("https://staging.example/directory"));
}

TEST(Due, OneForAnotherNameIs) {
    Generation other = generation();
    other.names = {"old.example.org"};
    EXPECT_THAT(why_due(other, kWanted, {}, kIssued), HasSubstr("old.example.org"));
}

TEST(Due, OneWithAnotherKindOfKeyIs) {
    Generation other = generation();
    other.key_type = "rsa-2048";
    EXPECT_THAT(why_due(other, kWanted, {}, kIssued), HasSubstr("rsa-2048"));
}

TEST(Due, ARevokedOneIs) {
    Generation revoked = generation();
    revoked.revoked = true;
    EXPECT_THAT(why_due(revoked, kWanted, {}, kIssued), HasSubstr("revoked"));
}

TEST(Due, OneOfAnotherProfileIs) {
    Wanted wanted = kWanted;
    wanted.profile = "shortlived";
    EXPECT_THAT(why_due(generation(), wanted, {}, kIssued), HasSubstr("ACME_PROFILE"));
}

TEST(Due, OneOfTheAuthorityToFallBackToIsNot) {
    Wanted wanted = kWanted;
    wanted.directories = {"https://first.example/directory", kAuthority.directory};
    wanted.profile = "of the first";
    EXPECT_EQ(why_due(generation(), wanted, {}, kIssued), "");
}

TEST(Due, NamesInAnotherOrderAreTheSame) {
    Generation two = generation();
    two.names = {"b.example.org", "a.example.org"};
    Wanted wanted = kWanted;
    wanted.names = {"a.example.org", "b.example.org"};
    EXPECT_EQ(why_due(two, wanted, {}, kIssued), "");
}

TEST(Due, RenewalsOfOneDayAreSpreadOverATenthOfWhatIsLeft) {
    Generation last = generation();
    last.fingerprint = "ffffffff";
    EXPECT_EQ(renewal_time(generation(), {}), kIssued + 60 * kDay);
    EXPECT_EQ(renewal_time(last, {}), kIssued + 63 * kDay);
}

TEST(Due, TheAuthoritysAdviceCountsMoreThanTheAge) {
    const auto advice = [](std::int64_t chosen) {
        return Advice{"00000000", chosen - kDay, chosen + kDay, chosen, 0, "https://ca.example/why"};
    };
    EXPECT_THAT(why_due(generation(), kWanted, advice(kIssued + 2 * kDay), kIssued + 3 * kDay),
                HasSubstr("https://ca.example/why"));
    EXPECT_EQ(why_due(generation(), kWanted, advice(kIssued + 70 * kDay), kIssued + 65 * kDay), "");
    EXPECT_EQ(renewal_time(generation(), advice(kIssued + 400 * kDay)), kIssued + 81 * kDay);
}

TEST(Due, AdviceIsReadBackAsWritten) {
    const Advice advice{"ab", 1, 2, 1, 3, "https://ca.example/why"};
    EXPECT_EQ(advice_from(to_text(advice)), advice);
    EXPECT_EQ(advice_from("{}"), std::nullopt);
    EXPECT_EQ(advice_from("["), std::nullopt);
}

TEST(Due, InfoIsReadBackAsWritten) {
    const auto read = from_info("0001", to_info(generation()));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->facts.origin, kAuthority);
    EXPECT_EQ(to_info(*read), to_info(generation()));
}

TEST(Due, InfoThatIsDamagedIsNone) {
    EXPECT_FALSE(from_info("0001", ""));
    EXPECT_FALSE(from_info("0001", "{}"));
    EXPECT_FALSE(from_info("0001", R"({"source": 3})"));
    std::string text = to_info(generation());
    text.resize(text.size() / 2);
    EXPECT_FALSE(from_info("0001", text));
}

} // namespace
} // namespace commento
