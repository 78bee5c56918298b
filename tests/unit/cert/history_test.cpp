#include "cert/history.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

constexpr std::int64_t kNow = 784'111'777;
const Request kRequest{
    "https://ca.example/directory", {"comments.example.org"}, "me@example.org", "", {{"ACME_CHALLENGE", "http-01"}}};

TEST(Pause, DoublesFromFiveMinutesToADay) {
    EXPECT_EQ(pause_after(1, {}), 300);
    EXPECT_EQ(pause_after(2, {}), 600);
    EXPECT_EQ(pause_after(3, {}), 1200);
    EXPECT_EQ(pause_after(9, {}), 76800);
    EXPECT_EQ(pause_after(10, {}), 86400);
    EXPECT_EQ(pause_after(1000000, {}), 86400);
}

TEST(Pause, IsAsLongAsTheAuthorityAsks) {
    EXPECT_EQ(pause_after(1, 3600), 3600);
    EXPECT_EQ(pause_after(4, 60), 2400);
    EXPECT_EQ(pause_after(1, 7 * 86400), 7 * 86400);
}

TEST(History, HoldsBackUntilTheNextTry) {
    const Failure failure{kRequest, 1, 1, kNow, kNow + 300, "refused"};
    EXPECT_TRUE(holds_back(failure, kNow));
    EXPECT_TRUE(holds_back(failure, kNow + 299));
    EXPECT_FALSE(holds_back(failure, kNow + 300));
}

TEST(History, AFailureFromTheFutureHoldsNothingBack) {
    EXPECT_FALSE(holds_back({kRequest, 1, 1, kNow + 1, kNow + 300, "refused"}, kNow));
}

class StoredFailure : public testing::Test {
  protected:
    Folder folder_;
    std::filesystem::path state_ = folder_.path() / "state";
    Failure failure_{kRequest, 4, 3, kNow, kNow + 1200, "refused \xff for a reason"};
};

TEST_F(StoredFailure, IsReadBack) {
    EXPECT_FALSE(last_failure(state_, kRequest));
    ASSERT_TRUE(remember(state_, failure_));
    const auto read = last_failure(state_, kRequest);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->refusals, 3);
    EXPECT_EQ(read->next_try, kNow + 1200);
}

TEST_F(StoredFailure, IsVoidWithOtherSettings) {
    ASSERT_TRUE(remember(state_, failure_));
    const auto with = [](auto change) {
        Request request = kRequest;
        change(request);
        return request;
    };
    EXPECT_FALSE(last_failure(state_, with([](Request& r) { r.directory = "https://other.example/"; })));
    EXPECT_FALSE(last_failure(state_, with([](Request& r) { r.names.emplace_back("other.example.org"); })));
    EXPECT_FALSE(last_failure(state_, with([](Request& r) { r.email = "other@example.org"; })));
    EXPECT_FALSE(last_failure(state_, with([](Request& r) { r.means["ACME_CHALLENGE"] = "dns-01"; })));
    EXPECT_FALSE(last_failure(state_, with([](Request& r) { r.profile = "shortlived"; })));
}

TEST_F(StoredFailure, OfOneAuthorityLeavesThatOfAnother) {
    Failure other = failure_;
    other.request.directory = "https://other.example/";
    ASSERT_TRUE(remember(state_, failure_));
    ASSERT_TRUE(remember(state_, other));
    ASSERT_TRUE(remember(state_, other));
    EXPECT_EQ(all_failures(state_).size(), 2U);
    EXPECT_TRUE(last_failure(state_, kRequest));
}

TEST_F(StoredFailure, IsPersistentAfterThreeInARow) {
    failure_.failures = 2;
    EXPECT_FALSE(is_persistent(failure_));
    failure_.failures = 3;
    EXPECT_TRUE(is_persistent(failure_));
}

TEST_F(StoredFailure, IsGoneOnceForgotten) {
    ASSERT_TRUE(remember(state_, failure_));
    ASSERT_TRUE(forget_failures(state_));
    EXPECT_FALSE(last_failure(state_, kRequest));
    EXPECT_TRUE(forget_failures(state_));
}

TEST_F(StoredFailure, DamagedCountsAsNone) {
    ASSERT_TRUE(make_folder(state_, 0755));
    for (const char* text : {"", "{", "[]", R"({"directory": 1})"}) {
        ASSERT_TRUE(write_file(state_ / "failures.json", text, 0644));
        EXPECT_FALSE(last_failure(state_, kRequest)) << text;
    }
}

} // namespace
} // namespace commento
