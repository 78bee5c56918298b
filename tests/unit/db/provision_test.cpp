#include "db/provision.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr int kPort = 5432;
constexpr Inventory::Role kOurs{.may_log_in = true, .is_superuser = false};

std::string hint_for(const Inventory& inventory) {
    const auto parts = missing_parts(inventory, kPort);
    return parts ? "" : parts.error().hint;
}

TEST(MissingParts, OfAnEmptyClusterAreRoleAndDatabaseInThisOrder) {
    const auto parts = missing_parts({}, kPort);
    ASSERT_TRUE(parts);
    EXPECT_THAT(*parts, ElementsAre(StartsWith("CREATE ROLE commento LOGIN"),
                                    AllOf(StartsWith("CREATE DATABASE commento OWNER commento"), HasSubstr("'UTF8'"),
                                          HasSubstr("template0"))));
}

TEST(MissingParts, AreNoneWhereBothAreThere) {
    const auto parts = missing_parts({false, kOurs, "commento"}, kPort);
    ASSERT_TRUE(parts);
    EXPECT_THAT(*parts, IsEmpty());
}

TEST(MissingParts, IsTheDatabaseAloneAfterACutBetweenTheTwo) {
    const auto parts = missing_parts({false, kOurs, std::nullopt}, kPort);
    ASSERT_TRUE(parts);
    EXPECT_THAT(*parts, ElementsAre(StartsWith("CREATE DATABASE")));
}

TEST(MissingParts, RefusesAnotherOwnersDatabaseAndNamesTheOwner) {
    const auto parts = missing_parts({false, std::nullopt, "alice"}, kPort);
    ASSERT_FALSE(parts);
    EXPECT_EQ(parts.error().code, ErrorCode::database);
    EXPECT_THAT(parts.error().message, HasSubstr("belongs to role alice"));
}

TEST(MissingParts, RefusesARoleThatMayNotLogInAndSaysHowToAllowIt) {
    EXPECT_THAT(hint_for({false, Inventory::Role{false, false}, std::nullopt}),
                HasSubstr("sudo -u postgres psql -p 5432 -c 'ALTER ROLE commento LOGIN'"));
}

TEST(MissingParts, RefusesASuperuserForTheApplication) {
    EXPECT_THAT(hint_for({false, Inventory::Role{true, true}, "commento"}), HasSubstr("NOSUPERUSER"));
}

TEST(MissingParts, RefusesAStandbyEvenWithEverythingThere) {
    const auto parts = missing_parts({true, kOurs, "commento"}, kPort);
    ASSERT_FALSE(parts);
    EXPECT_THAT(parts.error().message, HasSubstr("port 5432 is a standby"));
}

} // namespace
} // namespace commento
