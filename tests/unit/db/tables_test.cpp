#include "db/tables.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

const std::vector<TableFacts> kTables{{"comments", 3, "17"}, {"votes", 0, "0"}};

TEST(Differences, AreNoneWhereTablesAreEqual) {
    EXPECT_EQ(differences(kTables, kTables), "");
    EXPECT_EQ(differences({}, {}), "");
}

TEST(Differences, DoNotDependOnTheOrderOfTables) { EXPECT_EQ(differences(kTables, {kTables[1], kTables[0]}), ""); }

TEST(Differences, AreInTheNumberOfRows) {
    EXPECT_EQ(differences(kTables, {{"comments", 2, "17"}, kTables[1]}),
              "table comments: 3 rows, checksum 17 in the backup, 2 rows, checksum 17 in what came of it");
}

TEST(Differences, AreInTheChecksum) {
    EXPECT_EQ(differences(kTables, {{"comments", 3, "-17"}, kTables[1]}),
              "table comments: 3 rows, checksum 17 in the backup, 3 rows, checksum -17 in what came of it");
}

TEST(Differences, AreTablesThatAreLost) {
    EXPECT_EQ(differences(kTables, {kTables[0]}),
              "table votes: 0 rows, checksum 0 in the backup, no such table in what came of it");
}

TEST(Differences, AreTablesThatCameFromNowhere) {
    EXPECT_EQ(differences({kTables[0]}, kTables),
              "table votes: no such table in the backup, 0 rows, checksum 0 in what came of it");
}

TEST(Differences, HaveALineEach) {
    EXPECT_EQ(differences(kTables, {{"other", 1, "1"}}),
              "table comments: 3 rows, checksum 17 in the backup, no such table in what came of it\n"
              "table votes: 0 rows, checksum 0 in the backup, no such table in what came of it\n"
              "table other: no such table in the backup, 1 rows, checksum 1 in what came of it");
}

} // namespace
} // namespace commento
