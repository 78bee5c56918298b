#include "cert/due.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kDay = 24 * 3600;
constexpr std::int64_t kIssued = 1'700'000'000;
const Origin kAuthority{Source::acme, "https://ca.example/directory"};
const Wanted kWanted{"comments.example.org", "ecdsa-p256", kAuthority};

Generation generation(std::int64_t lifetime = 90 * kDay) {
    return {"0001", kAuthority, "ecdsa-p256", {"comments.example.org"}, kIssued, kIssued + lifetime, "ab"};
}

TEST(Due, NothingIsWhileTwoThirdsOfTheLifetimeLast) {
    EXPECT_EQ(why_due(generation(), kWanted, kIssued), "");
    EXPECT_EQ(why_due(generation(), kWanted, kIssued + 60 * kDay), "");
    EXPECT_THAT(why_due(generation(), kWanted, kIssued + 60 * kDay + 1), HasSubstr("expires on"));
    EXPECT_THAT(why_due(generation(), kWanted, kIssued + 90 * kDay), HasSubstr("expired on"));
}

TEST(Due, ShortLivedCertificatesAreAtHalfTheirLifetime) {
    EXPECT_EQ(why_due(generation(6 * kDay), kWanted, kIssued + 3 * kDay), "");
    EXPECT_THAT(why_due(generation(6 * kDay), kWanted, kIssued + 3 * kDay + 1), HasSubstr("expires on"));
}

TEST(Due, ACertificateIsWhereThereIsNone) { EXPECT_THAT(why_due({}, kWanted, kIssued), HasSubstr("no certificate")); }

TEST(Due, ThePlaceholderIs) {
    Generation placeholder = generation();
    placeholder.origin = {Source::self_signed};
    EXPECT_THAT(why_due(placeholder, kWanted, kIssued), HasSubstr("self-signed"));
}

TEST(Due, ACertificateOfAnotherDirectoryIs) {
    Generation other = generation();
    other.origin.directory = "https://staging.example/directory";
    EXPECT_THAT(why_due(other, kWanted, kIssued), HasSubstr("https://staging.example/directory"));
}

TEST(Due, OneForAnotherNameIs) {
    Generation other = generation();
    other.names = {"old.example.org"};
    EXPECT_THAT(why_due(other, kWanted, kIssued), HasSubstr("old.example.org"));
}

TEST(Due, OneWithAnotherKindOfKeyIs) {
    Generation other = generation();
    other.key_type = "rsa-2048";
    EXPECT_THAT(why_due(other, kWanted, kIssued), HasSubstr("rsa-2048"));
}

TEST(Due, InfoIsReadBackAsWritten) {
    const auto read = from_info("0001", to_info(generation()));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->origin, kAuthority);
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
