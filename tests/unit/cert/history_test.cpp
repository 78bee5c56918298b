#include "cert/history.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

constexpr std::int64_t kNow = 784'111'777; // Sun, 06 Nov 1994 08:49:37 GMT, RFC 9110's own example
const Request kRequest{"https://ca.example/directory", "comments.example.org", "me@example.org"};

TEST(RetryAfter, IsANumberOfSeconds) {
    EXPECT_EQ(parse_retry_after("120", kNow), 120);
    EXPECT_EQ(parse_retry_after("0", kNow), std::nullopt);
    EXPECT_EQ(parse_retry_after("-5", kNow), std::nullopt);
}

TEST(RetryAfter, OrADateInAnyFormOfRfc9110) {
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kNow - 60), 60);
    EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", kNow - 60), 60);
    EXPECT_EQ(parse_retry_after("Sun Nov  6 08:49:37 1994", kNow - 60), 60);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kNow + 60), std::nullopt);
}

TEST(RetryAfter, OrNothing) {
    EXPECT_EQ(parse_retry_after("", kNow), std::nullopt);
    EXPECT_EQ(parse_retry_after("soon", kNow), std::nullopt);
    EXPECT_EQ(parse_retry_after("12 minutes", kNow), std::nullopt);
    EXPECT_EQ(parse_retry_after("99999999999999999999999", kNow), std::nullopt);
}

TEST(Pause, DoublesFromFiveMinutesToADay) {
    EXPECT_EQ(pause_after(1, {}), 300);
    EXPECT_EQ(pause_after(2, {}), 600);
    EXPECT_EQ(pause_after(3, {}), 1200);
    EXPECT_EQ(pause_after(9, {}), 76800);
    EXPECT_EQ(pause_after(10, {}), 86400);
    EXPECT_EQ(pause_after(1000000, {}), 86400);
}

TEST(RetryAfter, IsAWeekAtMost) {
    EXPECT_EQ(parse_retry_after("100000000000", kNow), 7 * 86400);
    EXPECT_EQ(parse_retry_after("9223372036854775807", kNow), 7 * 86400);
    EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", kNow), 7 * 86400);
}

TEST(Pause, IsAsLongAsTheAuthorityAsks) {
    EXPECT_EQ(pause_after(1, 3600), 3600);
    EXPECT_EQ(pause_after(4, 60), 2400);
    EXPECT_EQ(pause_after(1, 7 * 86400), 7 * 86400);
}

TEST(History, HoldsBackUntilTheNextTry) {
    const Failure failure{kRequest, 1, kNow, kNow + 300, "refused"};
    EXPECT_TRUE(holds_back(failure, kNow));
    EXPECT_TRUE(holds_back(failure, kNow + 299));
    EXPECT_FALSE(holds_back(failure, kNow + 300));
}

TEST(History, AFailureFromTheFutureHoldsNothingBack) {
    EXPECT_FALSE(holds_back({kRequest, 1, kNow + 1, kNow + 300, "refused"}, kNow));
}

class Stored : public testing::Test {
  protected:
    Stored() { EXPECT_TRUE(make_folder(paths_.acme(), 0755)); }
    Folder folder_;
    Paths paths_{folder_.path()};
    Failure failure_{kRequest, 3, kNow, kNow + 1200, "refused \xff for a reason"};
};

TEST_F(Stored, IsReadBack) {
    EXPECT_FALSE(last_failure(paths_, kRequest));
    ASSERT_TRUE(remember(paths_, failure_));
    const auto read = last_failure(paths_, kRequest);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->refusals, 3);
    EXPECT_EQ(read->next_try, kNow + 1200);
}

TEST_F(Stored, IsVoidWithOtherSettings) {
    ASSERT_TRUE(remember(paths_, failure_));
    EXPECT_FALSE(last_failure(paths_, {"https://other.example/", kRequest.domain, kRequest.email}));
    EXPECT_FALSE(last_failure(paths_, {kRequest.directory, "other.example.org", kRequest.email}));
    EXPECT_FALSE(last_failure(paths_, {kRequest.directory, kRequest.domain, "other@example.org"}));
}

TEST_F(Stored, IsGoneOnceForgotten) {
    ASSERT_TRUE(remember(paths_, failure_));
    ASSERT_TRUE(forget_failures(paths_));
    EXPECT_FALSE(last_failure(paths_, kRequest));
    EXPECT_TRUE(forget_failures(paths_));
}

TEST_F(Stored, DamagedCountsAsNone) {
    for (const char* text : {"", "{", "[]", R"({"directory": 1})"}) {
        ASSERT_TRUE(write_file(paths_.acme() / "failures.json", text, 0644));
        EXPECT_FALSE(last_failure(paths_, kRequest)) << text;
    }
}

} // namespace
} // namespace commento
