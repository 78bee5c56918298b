#include "cert/limits.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;
using Names = std::vector<std::string>;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::int64_t kHour = 3600;
constexpr const char* kLetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";
const Names kNames{"comments.example.co.uk", "*.example.co.uk"};

class Counted : public testing::Test {
  protected:
    Limits load() const { return Limits::load(paths_, kLetsEncrypt); }

    Folder folder_;
    Paths paths_{folder_.path()};
    Limits limits_ = load();
};

TEST_F(Counted, FiveCertificatesForTheSameNamesAreAllThereAreInAWeek) {
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(limits_.check(kNames, kNow));
        EXPECT_EQ(limits_.left(kNames, kNow), 5 - i);
        limits_.count_certificate(kNames, kNow);
    }
    const auto sixth = limits_.check(kNames, kNow);
    EXPECT_EQ(sixth.error().code, ErrorCode::later);
    EXPECT_THAT(sixth.error().message, HasSubstr("5 certificates a week"));
    EXPECT_EQ(limits_.left(kNames, kNow), 0);
}

TEST_F(Counted, ABucketRefillsSteadily) {
    for (int i = 0; i < 5; ++i)
        limits_.count_certificate(kNames, kNow);
    // Seven days by five.
    EXPECT_FALSE(limits_.check(kNames, kNow + 33 * kHour));
    EXPECT_TRUE(limits_.check(kNames, kNow + 34 * kHour));
    limits_.count_certificate(kNames, kNow + 34 * kHour);
    EXPECT_FALSE(limits_.check(kNames, kNow + 34 * kHour));
    EXPECT_EQ(limits_.left(kNames, kNow + 14 * 24 * kHour), 5);
}

TEST_F(Counted, TheOrderOfNamesMakesNoOtherSet) {
    for (int i = 0; i < 5; ++i)
        limits_.count_certificate(kNames, kNow);
    EXPECT_FALSE(limits_.check({kNames[1], kNames[0]}, kNow));
    EXPECT_TRUE(limits_.check({kNames[0]}, kNow));
}

TEST_F(Counted, FiftyCertificatesAWeekAreForOneRegisteredDomain) {
    for (int i = 0; i < 50; ++i)
        limits_.count_certificate({"a" + std::to_string(i) + ".example.co.uk"}, kNow);
    EXPECT_THAT(limits_.check({"b.example.co.uk"}, kNow).error().message, HasSubstr("for example.co.uk"));
    EXPECT_TRUE(limits_.check({"other.co.uk"}, kNow));
}

TEST_F(Counted, FiveFailedProofsAnHourAreOfOneName) {
    for (int i = 0; i < 5; ++i)
        limits_.count_failed_proof("a.example.org", kNow);
    EXPECT_EQ(limits_.check({"a.example.org"}, kNow).error().code, ErrorCode::later);
    EXPECT_FALSE(limits_.check({"*.a.example.org"}, kNow)) << "the same name is to be proved";
    EXPECT_TRUE(limits_.check({"b.example.org"}, kNow));
    EXPECT_TRUE(limits_.check({"a.example.org"}, kNow + 12 * 60));
}

TEST_F(Counted, OrdersAreLimitedWhateverTheyAreFor) {
    for (int i = 0; i < 300; ++i)
        limits_.count_order(kNow);
    EXPECT_THAT(limits_.check({"a.example.org"}, kNow).error().message, HasSubstr("300 orders"));
    EXPECT_TRUE(limits_.check({"a.example.org"}, kNow + 36));
}

TEST_F(Counted, TenNewAccountsAreAllThereAreInThreeHours) {
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(limits_.check_registration(kNow));
        limits_.count_registration(kNow);
    }
    EXPECT_THAT(limits_.check_registration(kNow).error().message, HasSubstr("10 new accounts"));
    EXPECT_TRUE(limits_.check(kNames, kNow)) << "who has an account may go on";
    EXPECT_TRUE(limits_.check_registration(kNow + 18 * 60));
}

TEST_F(Counted, WhatWasCountedIsKeptAcrossRuns) {
    for (int i = 0; i < 5; ++i)
        limits_.count_certificate(kNames, kNow);
    ASSERT_TRUE(limits_.save(kNow));
    EXPECT_FALSE(load().check(kNames, kNow));
}

TEST_F(Counted, WhatIsFullAgainIsNotKept) {
    limits_.count_order(kNow);
    ASSERT_TRUE(limits_.save(kNow + kHour));
    EXPECT_EQ(read_file(paths_.acme() / "limits.json").value(), "{}\n");
}

TEST_F(Counted, AClockThatWasPutBackLocksNobodyOut) {
    for (int i = 0; i < 5; ++i)
        limits_.count_certificate(kNames, kNow + 365 * 24 * kHour);
    EXPECT_TRUE(limits_.check(kNames, kNow));
}

TEST_F(Counted, ADamagedFileCountsAsNone) {
    ASSERT_TRUE(make_folder(paths_.acme(), 0755));
    for (const char* text : {"", "[", "[1]", R"({"orders": "x"})"}) {
        ASSERT_TRUE(write_file(paths_.acme() / "limits.json", text, 0600));
        EXPECT_TRUE(load().check(kNames, kNow)) << text;
    }
}

TEST_F(Counted, OtherAuthoritiesHaveNoLimitsHere) {
    for (const char* directory : {"https://acme-staging-v02.api.letsencrypt.org/directory", "https://ca.example/dir"}) {
        Limits other = Limits::load(paths_, directory);
        for (int i = 0; i < 400; ++i) {
            other.count_order(kNow);
            other.count_certificate(kNames, kNow);
        }
        EXPECT_TRUE(other.check(kNames, kNow));
        EXPECT_EQ(other.left(kNames, kNow), -1);
        ASSERT_TRUE(other.save(kNow));
        EXPECT_FALSE(std::filesystem::exists(paths_.acme() / "limits.json"));
    }
}

TEST(RegisteredDomain, IsTheOneBelowAPublicSuffix) {
    EXPECT_EQ(registered_domain("a.b.example.co.uk"), "example.co.uk");
    EXPECT_EQ(registered_domain("example.org"), "example.org");
    EXPECT_EQ(registered_domain("co.uk"), "co.uk");
    EXPECT_EQ(registered_domain("192.0.2.1"), "192.0.2.1");
}

} // namespace
} // namespace commento
