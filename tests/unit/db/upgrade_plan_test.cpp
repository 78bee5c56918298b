#include "db/upgrade_plan.hpp"

#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kPort = 5432;

HostCluster cluster(int version, const std::string& name, int port, const std::string& status = "online") {
    return {version, name, port, status, "postgres", "/var/lib/postgresql"};
}

TEST(ChooseUpgrade, TakesTheNewestVersionThatIsInstalled) {
    const auto choice = choose_upgrade({cluster(15, "main", kPort)}, {15, 16, 17}, 17, kPort).value();

    EXPECT_EQ(choice.current.label(), "15/main");
    EXPECT_EQ(choice.target, 17);
    EXPECT_FALSE(choice.taken);
}

TEST(ChooseUpgrade, FindsTheClusterByItsPort) {
    const std::vector clusters{cluster(15, "shop", 5433), cluster(16, "main", kPort)};

    EXPECT_EQ(choose_upgrade(clusters, {15, 16, 17}, 17, kPort)->current.label(), "16/main");
    EXPECT_EQ(choose_upgrade(clusters, {15, 16, 17}, 17, 5433)->current.label(), "15/shop");
}

TEST(ChooseUpgrade, OfTwoWithOnePortTakesTheOneThatIsUp) {
    const std::vector clusters{cluster(13, "main", kPort, "down"), cluster(15, "main", kPort),
                               cluster(16, "x", kPort, "down")};

    EXPECT_EQ(choose_upgrade(clusters, {15, 17}, 17, kPort)->current.label(), "15/main");
}

TEST(ChooseUpgrade, NamesTheClusterThatHasTheTargetsNameAlready) {
    const std::vector clusters{cluster(15, "main", kPort), cluster(17, "main", 5433), cluster(17, "other", 5434)};

    EXPECT_EQ(choose_upgrade(clusters, {15, 17}, 17, kPort)->taken, clusters[1]);
    EXPECT_FALSE(choose_upgrade({clusters[0], clusters[2]}, {15, 17}, 17, kPort)->taken);
}

TEST(ChooseUpgrade, HasNothingToDoWhereTheClusterIsTheNewest) {
    for (const int supported : {0, 15, 17})
        EXPECT_EQ(choose_upgrade({cluster(17, "main", kPort)}, {15, 17}, supported, kPort)->target, 0);
}

TEST(ChooseUpgrade, SaysWhatToInstallWhereThereIsANewerVersionToBeHad) {
    const auto choice = choose_upgrade({cluster(15, "main", kPort)}, {15}, 17, kPort);

    ASSERT_FALSE(choice);
    EXPECT_EQ(choice.error().code, ErrorCode::database);
    EXPECT_EQ(choice.error().hint, "apt-get install postgresql-17");
}

TEST(ChooseUpgrade, RefusesAClusterWhoseServerIsNoLongerInstalled) {
    const auto choice = choose_upgrade({cluster(15, "main", kPort, "online,binaries_missing")}, {17}, 17, kPort);

    ASSERT_FALSE(choice);
    EXPECT_EQ(choice.error().hint, "apt-get install postgresql-15");
}

TEST(ChooseUpgrade, RefusesAPortThatNoClusterHas) {
    const auto choice = choose_upgrade({cluster(15, "main", 5433)}, {15, 17}, 17, kPort);

    ASSERT_FALSE(choice);
    EXPECT_THAT(choice.error().message, HasSubstr("5432"));
    EXPECT_THAT(choice.error().hint, HasSubstr("DATABASE_PORT"));
}

TEST(ChooseUpgrade, RefusesAClusterThatIsDownAndAStandby) {
    for (const char* status : {"down", "down,recovery", "online,recovery"}) {
        const auto choice = choose_upgrade({cluster(15, "main", kPort, status)}, {15, 17}, 17, kPort);
        ASSERT_FALSE(choice) << status;
        EXPECT_THAT(choice.error().message, HasSubstr("15/main"));
    }
}

TEST(Census, IsEmptyOnlyWhereNobodyMadeAnything) {
    EXPECT_TRUE(Census{}.is_empty());
    EXPECT_FALSE((Census{.databases = {"shop"}}).is_empty());
    EXPECT_FALSE((Census{.objects = 1}).is_empty());
    EXPECT_FALSE((Census{.has_roles = true}).is_empty());
}

TEST(CensusDifferences, NameEachThatIsMissingNewOrChangedOnce) {
    const Census before{.facts = {{"role shop", "f"}, {"database shop"}, {"database gone"}}};
    const Census after{.facts = {{"role shop", "t"}, {"database new"}, {"database shop"}}};

    EXPECT_THAT(differences(before, before), IsEmpty());
    EXPECT_EQ(differences(before, after), "database gone, database new, role shop");
}

UpgradeState some_state() { return {UpgradePhase::switching, 15, 17, "main", kPort, 5433, "2026-11-26T023000Z"}; }

TEST(UpgradeState, IsReadAsItWasWritten) {
    for (const auto phase :
         {UpgradePhase::copying, UpgradePhase::switching, UpgradePhase::kept, UpgradePhase::returning}) {
        UpgradeState state = some_state();
        state.phase = phase;
        EXPECT_EQ(parse_upgrade_state(to_json(state), "x").value(), state);
    }
}

TEST(UpgradeState, RefusesWhatItDidNotWrite) {
    for (const char* text :
         {"", "{}", "[]", R"({"phase": "flying", "older": 15})", R"({"phase": "kept", "older": "15"})"}) {
        const auto state = parse_upgrade_state(text, "/var/lib/x.json");
        ASSERT_FALSE(state) << text;
        EXPECT_THAT(state.error().message, HasSubstr("/var/lib/x.json"));
    }
}

TEST(UpgradeState, LetsTheApplicationStartOnlyWhereNoUpgradeIsHalfDone) {
    const Folder root;
    const Paths paths{root.path()};
    std::filesystem::create_directories(paths.state());
    EXPECT_TRUE(require_no_half_upgrade(paths));
    EXPECT_FALSE(upgrade_state(paths).value());

    UpgradeState state = some_state();
    ASSERT_TRUE(record_upgrade(paths, state));
    const auto refused = require_no_half_upgrade(paths);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("15/main"));

    state.phase = UpgradePhase::kept;
    ASSERT_TRUE(record_upgrade(paths, state));
    EXPECT_TRUE(require_no_half_upgrade(paths));
    ASSERT_TRUE(forget_upgrade(paths));
    EXPECT_FALSE(upgrade_state(paths).value());
}

} // namespace
} // namespace commento
