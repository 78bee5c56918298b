#include "db/retention.hpp"

#include <algorithm>
#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Names = std::vector<std::string>;

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr Retention kNone{0, 0, 0};

/// So much later than all backups that none stays for its youth.
std::int64_t much_later(const Names& names) { return time_of_backup(names.back()) + (10 * kDay); }

/// What stays of `names`.
Names kept(const Names& names, const Retention& keep) {
    const Names gone = superfluous(names, keep, much_later(names));
    Names left;
    std::ranges::copy_if(names, std::back_inserter(left),
                         [&](const std::string& name) { return std::ranges::find(gone, name) == gone.end(); });
    return left;
}

TEST(BackupName, IsTheMomentInUtc) {
    EXPECT_EQ(backup_name(0), "1970-01-01T000000Z");
    EXPECT_EQ(backup_name(1709210096), "2024-02-29T123456Z");
}

TEST(BackupName, TellsItsMomentAgain) {
    for (const std::int64_t moment : {0L, 1L, 951782399L, 951868800L, 1709210096L, 1798761599L, 4102444800L})
        EXPECT_EQ(time_of_backup(backup_name(moment)), moment);
}

TEST(BackupName, IsOrderedAsTheMomentsAre) {
    EXPECT_LT(backup_name(1798761599), backup_name(1798761600)); // the end of a year
    EXPECT_LT(backup_name(999), backup_name(1000000000));
}

TEST(BackupName, IsNoOtherText) {
    for (const char* text : {"", "latest", "lock", "2026-11-26", "2026-11-26T154302", "2026-11-26T154302Z.zip",
                             "x2026-11-26T154302Z", "2026-11-26 154302Z", "2026-13-01T000000Z", "2026-11-26T254302Z",
                             "2026-11-32T000000Z", "2026-11-26T15:43:02Z", "2026-11-26T154302+0000"})
        EXPECT_EQ(time_of_backup(text), -1) << text;
}

TEST(BackupName, IsNothingThatIsNotWrittenForAnyMoment) {
    for (const char* text : {"2026-1-2T030405Z", " 2026-01-02T030405Z", "2026-01-02T30405Z", "2026-02-31T000000Z",
                             "2026-01-02T030460Z", "26-01-02T030405Z"})
        EXPECT_EQ(time_of_backup(text), -1) << text << " is taken for " << backup_name(time_of_backup(text));
}

TEST(Superfluous, AreNoneOfNone) { EXPECT_THAT(superfluous({}, kNone, 0), IsEmpty()); }

TEST(Superfluous, IsNeverTheLastOne) {
    EXPECT_THAT(kept({"2026-01-01T010000Z"}, kNone), ElementsAre("2026-01-01T010000Z"));
    EXPECT_THAT(kept({"2026-01-01T010000Z", "2026-01-02T010000Z"}, kNone), ElementsAre("2026-01-02T010000Z"));
}

TEST(Superfluous, AreAllButTheLastOfEachDay) {
    EXPECT_THAT(kept({"2026-01-01T000000Z", "2026-01-01T235959Z", "2026-01-02T000000Z", "2026-01-02T120000Z",
                      "2026-01-03T010000Z"},
                     {3, 0, 0}),
                ElementsAre("2026-01-01T235959Z", "2026-01-02T120000Z", "2026-01-03T010000Z"));
}

TEST(Superfluous, AreThoseOfEarlierDaysThanAreKept) {
    EXPECT_THAT(kept({"2026-01-01T010000Z", "2026-01-02T010000Z", "2026-01-03T010000Z"}, {2, 0, 0}),
                ElementsAre("2026-01-02T010000Z", "2026-01-03T010000Z"));
}

TEST(Superfluous, AreNotMoreForDaysOnWhichTheHostWasOff) {
    EXPECT_THAT(kept({"2025-01-01T010000Z", "2025-06-01T010000Z", "2026-01-03T010000Z"}, {3, 0, 0}), SizeIs(3));
}

TEST(Superfluous, AreAllButTheLastOfEachWeekFromMondayOn) {
    // 2027-01-03 is a Sunday, and its week began in 2026.
    EXPECT_THAT(kept({"2026-12-27T235959Z", "2026-12-28T000000Z", "2026-12-31T010000Z", "2027-01-01T010000Z",
                      "2027-01-03T235959Z", "2027-01-04T000000Z"},
                     {0, 3, 0}),
                ElementsAre("2026-12-27T235959Z", "2027-01-03T235959Z", "2027-01-04T000000Z"));
}

TEST(Superfluous, AreAllButTheLastOfEachMonth) {
    EXPECT_THAT(kept({"2025-02-28T010000Z", "2026-01-31T235959Z", "2026-02-01T000000Z", "2026-02-28T010000Z",
                      "2026-03-01T010000Z"},
                     {0, 0, 3}),
                ElementsAre("2026-01-31T235959Z", "2026-02-28T010000Z", "2026-03-01T010000Z"));
}

TEST(Superfluous, IsNothingThatOneOfTheThreeAsksFor) {
    EXPECT_THAT(kept({"2026-01-31T010000Z", "2026-02-27T010000Z", "2026-02-28T010000Z", "2026-03-08T010000Z",
                      "2026-03-09T010000Z"},
                     {1, 2, 3}),
                ElementsAre("2026-01-31T010000Z", "2026-02-28T010000Z", "2026-03-08T010000Z", "2026-03-09T010000Z"));
}

TEST(Superfluous, IsNothingOfTheLast24Hours) {
    const std::int64_t now = time_of_backup("2026-01-02T120000Z");
    const Names names{backup_name(now - kDay), backup_name(now - kDay + 1), backup_name(now - kHour),
                      backup_name(now - 1)};
    EXPECT_THAT(superfluous(names, kNone, now), ElementsAre(names[0]));
}

TEST(Superfluous, IsNothingFromTheFuture) {
    EXPECT_THAT(superfluous({"2030-01-01T010000Z", "2030-01-02T010000Z"}, kNone, time_of_backup("2026-01-01T000000Z")),
                IsEmpty());
}

TEST(Superfluous, LeavesWhatTheSettingsSayThoughItIsAskedEachDay) {
    Names names;
    std::int64_t now = time_of_backup("2026-01-01T030000Z");
    for (int day = 0; day < 400; ++day, now += kDay) {
        names.push_back(backup_name(now));
        for (const auto& name : superfluous(names, {7, 4, 6}, now))
            std::erase(names, name);
    }
    EXPECT_THAT(names,
                ElementsAre("2026-09-30T030000Z", "2026-10-31T030000Z", "2026-11-30T030000Z", "2026-12-31T030000Z",
                            "2027-01-17T030000Z", "2027-01-24T030000Z", "2027-01-29T030000Z", "2027-01-30T030000Z",
                            "2027-01-31T030000Z", "2027-02-01T030000Z", "2027-02-02T030000Z", "2027-02-03T030000Z",
                            "2027-02-04T030000Z"));
}

} // namespace
} // namespace commento
