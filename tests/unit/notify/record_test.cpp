#include "notify/record.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

TEST(KeyOf, IsTheSameForErrorsThatDifferInNumbers) {
    EXPECT_EQ(key_of("exit-code", 5, "no answer at 10:05 from port 80"),
              key_of("exit-code", 5, "no answer at 9:59 from port 8080"));
    EXPECT_NE(key_of("exit-code", 5, "no answer"), key_of("exit-code", 6, "no answer"));
    EXPECT_NE(key_of("exit-code", 5, "no answer"), key_of("exit-code", 5, "no room"));
}

TEST(IsDue, IsOnceInSixHoursForEachErrorAndWay) {
    const Record record{kNow - 100, 1, "", {{"a", "mail", kNow - 100}}};
    EXPECT_FALSE(is_due(record, "mail", "a", kNow));
    EXPECT_TRUE(is_due(record, "webhook", "a", kNow));
    EXPECT_TRUE(is_due(record, "mail", "b", kNow));
    EXPECT_TRUE(is_due(record, "mail", "a", kNow - 100 + kPause));
}

TEST(IsDue, BoundsTheErrorsOfOneUnit) {
    Record record;
    for (int i = 0; i < kMostErrors; ++i) {
        EXPECT_TRUE(is_due(record, "mail", std::to_string(i), kNow));
        record.told.push_back({std::to_string(i), "mail", kNow});
    }
    EXPECT_FALSE(is_due(record, "mail", "one more", kNow));
}

TEST(IsDue, IsNotFooledByAClockThatWasSetBack) {
    EXPECT_TRUE(is_due({kNow, 1, "", {{"a", "mail", kNow + 1000}}}, "mail", "a", kNow));
}

TEST(WaysThatTold, AreThoseOfThePresentFailures) {
    const Record record{kNow - 10, 1, "", {{"a", "mail", kNow - 100}, {"a", "webhook", kNow - 5}}};
    EXPECT_THAT(ways_that_told(record), testing::ElementsAre("webhook"));
}

TEST(Record, IsKeptAndMarksTheUnitAsFailing) {
    const Folder folder;
    const Paths paths{folder.path()};
    ASSERT_TRUE(make_folder(paths.notify(), 0700));
    ASSERT_TRUE(make_folder(fleeting_folder(paths), 0700));
    ASSERT_TRUE(
        save_record(paths, "commento-x", {kNow, 2, "id", {{"a", "mail", kNow}, {"b", "mail", kNow - kPause}}}, kNow));
    const Record read = load_record(paths, "commento-x");
    EXPECT_EQ(read.since, kNow);
    EXPECT_EQ(read.failures, 2);
    EXPECT_EQ(read.invocation, "id");
    ASSERT_EQ(read.told.size(), 1U); // the other one matters no more
    EXPECT_EQ(read.told[0].way, "mail");
    EXPECT_TRUE(std::filesystem::exists(paths.notify() / "commento-x.failing"));

    ASSERT_TRUE(save_record(paths, "commento-x", {}, kNow));
    EXPECT_FALSE(std::filesystem::exists(paths.notify() / "commento-x.failing"));
}

TEST(Record, IsKeptElsewhereWhereTheDiskTakesNothing) {
    const Folder folder;
    const Paths paths{folder.path()};
    ASSERT_TRUE(make_folder(fleeting_folder(paths), 0700)); // and the other one is not there at all
    ASSERT_TRUE(save_record(paths, "commento-x", {kNow, 2, "id", {}}, kNow));
    EXPECT_EQ(load_record(paths, "commento-x").failures, 2);
    EXPECT_TRUE(std::filesystem::exists(fleeting_folder(paths) / "commento-x.failing"));

    ASSERT_TRUE(make_folder(paths.notify(), 0700));
    ASSERT_TRUE(save_record(paths, "commento-x", {kNow, 3, "id", {}}, kNow));
    EXPECT_EQ(load_record(paths, "commento-x").failures, 3);
    EXPECT_TRUE(std::filesystem::is_empty(fleeting_folder(paths)));
}

TEST(Record, ThatCantBeUnderstoodIsAnEmptyOne) {
    const Folder folder;
    const Paths paths{folder.path()};
    ASSERT_TRUE(make_folder(paths.notify(), 0700));
    ASSERT_TRUE(make_folder(fleeting_folder(paths), 0700));
    for (const char* text : {"", "{", "[]", "{\"since\": \"x\"}"}) {
        ASSERT_TRUE(write_file(paths.notify() / "commento-x.json", text, 0600));
        EXPECT_EQ(load_record(paths, "commento-x").since, 0) << text;
    }
}

} // namespace
} // namespace commento
