#include "db/provision.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;

const DatabaseServer kServer = database_server(Paths{}, Settings::examine("", "", Paths{}).settings);
constexpr Inventory::Role kOurs{.may_log_in = true, .is_superuser = false};
const Inventory::Database kOurDatabase{.owner = "commento", .encoding = "UTF8"};

Error refusal_of(const Inventory& inventory) {
    const auto checked = check_inventory(inventory, kServer);
    return checked ? Error{} : checked.error();
}

TEST(CheckInventory, TakesAnEmptyClusterAndOneWithOurs) {
    EXPECT_TRUE(check_inventory({}, kServer));
    EXPECT_TRUE(check_inventory({false, kOurs, kOurDatabase}, kServer));
}

TEST(CheckInventory, RefusesAnotherOwnersDatabaseAndNamesTheOwner) {
    const Error error = refusal_of({false, std::nullopt, Inventory::Database{"alice", "UTF8"}});
    EXPECT_EQ(error.code, ErrorCode::database);
    EXPECT_THAT(error.message, HasSubstr("belongs to role alice"));
}

TEST(CheckInventory, RefusesARoleThatMayNotLogInAndSaysHowToAllowIt) {
    EXPECT_THAT(refusal_of({false, Inventory::Role{false, false}, std::nullopt}).hint,
                HasSubstr("sudo -u postgres psql -p 5432 -c 'ALTER ROLE commento LOGIN'"));
}

TEST(CheckInventory, RefusesASuperuserForTheApplication) {
    EXPECT_THAT(refusal_of({false, Inventory::Role{true, true}, kOurDatabase}).hint, HasSubstr("NOSUPERUSER"));
}

TEST(CheckInventory, RefusesAnEncodingInWhichNotEveryCommentCanBeWritten) {
    EXPECT_THAT(refusal_of({false, kOurs, Inventory::Database{"commento", "LATIN1"}}).message, HasSubstr("LATIN1"));
}

TEST(CheckInventory, RefusesAStandbyEvenWithEverythingThere) {
    const Error error = refusal_of({true, kOurs, kOurDatabase});
    EXPECT_THAT(error.message, HasSubstr(".s.PGSQL.5432 is a standby"));
}

} // namespace
} // namespace commento
