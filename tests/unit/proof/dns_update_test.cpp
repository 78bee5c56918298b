#include "proof/dns_update.hpp"

#include "proof/dns_name.hpp"
#include "proof/name_server.hpp"

#include <gmock/gmock.h>
#include <thread>

namespace commento {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Challenge challenge(const std::string& name, const std::string& content = "content") {
    return {name, "dns-01", "", "token", content};
}

class Update : public WithNameServer {
  protected:
    static DnsUpdate prover(const std::string& key = "writer") {
        return {server_->place(), server_->key_file(key), {server_->not_signing()}};
    }
};

TEST_F(Update, ShowsTheRecordAsLongAsTheProverLives) {
    const Challenge one = challenge("www.example.test");
    {
        DnsUpdate made = prover();
        const auto checked = made.check({one.name});
        ASSERT_TRUE(checked) << checked.error().message;
        EXPECT_THAT(server_->texts("_acme-challenge.www.example.test."), IsEmpty());
        const auto shown = made.show(std::vector{one});
        ASSERT_TRUE(shown) << shown.error().message;
        EXPECT_THAT(server_->texts("_acme-challenge.www.example.test."), ElementsAre(record_of(one)));
    }
    EXPECT_THAT(server_->texts("_acme-challenge.www.example.test."), IsEmpty());
}

TEST_F(Update, ShowsANameAndItsWildcardSideBySideWithWhatWasThere) {
    const std::vector challenges{challenge("kept.example.test", "one"), challenge("kept.example.test", "two")};
    {
        DnsUpdate made = prover();
        ASSERT_TRUE(made.check({"kept.example.test", "*.kept.example.test"}));
        ASSERT_TRUE(made.show(challenges));
        EXPECT_THAT(server_->texts("_acme-challenge.kept.example.test."),
                    UnorderedElementsAre("kept", record_of(challenges[0]), record_of(challenges[1])));
    }
    EXPECT_THAT(server_->texts("_acme-challenge.kept.example.test."), ElementsAre("kept"));
}

TEST_F(Update, ShowsRecordsInSeveralZones) {
    DnsUpdate made = prover();
    ASSERT_TRUE(made.show(std::vector{challenge("example.test"), challenge("acme.test")}));
    EXPECT_EQ(server_->texts("_acme-challenge.example.test.").size(), 1U);
    EXPECT_EQ(server_->texts("_acme-challenge.acme.test.").size(), 1U);
}

TEST_F(Update, FollowsAnAliasIntoAnotherZone) {
    DnsUpdate made = prover();
    ASSERT_TRUE(made.show(std::vector{challenge("www.alias.test")}));
    EXPECT_EQ(server_->texts("www.acme.test.").size(), 1U);
}

TEST_F(Update, FollowsAnAliasThatOnlyTheHostsResolversKnow) {
    DnsUpdate made = prover();
    ASSERT_TRUE(made.show(std::vector{challenge("far.alias.test"), challenge("outside.test", "other")}));
    EXPECT_EQ(server_->texts("outside.acme.test.").size(), 2U);
}

TEST_F(Update, FollowsEightAliasesAndNoMore) {
    DnsUpdate made = prover();
    EXPECT_TRUE(made.check({"eight.alias.test"}));
    const auto nine = made.check({"nine.alias.test"});
    ASSERT_FALSE(nine);
    EXPECT_EQ(nine.error().code, ErrorCode::settings);
    EXPECT_THAT(nine.error().message, HasSubstr("more than 8 aliases"));
}

TEST_F(Update, SeesALoopOfAliases) {
    const auto checked = prover().check({"loop.alias.test"});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::settings);
    EXPECT_THAT(checked.error().message, HasSubstr("lead back to two.alias.test."));
}

TEST_F(Update, NeedsAZoneOfThatServer) {
    const auto checked = DnsUpdate(server_->place(), server_->key_file("writer"), {}).check({"outside.test"});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::network);
    EXPECT_THAT(checked.error().message, HasSubstr("_acme-challenge.outside.test."));
    const auto zone = zone_of("www.outside.test.", server_->signing());
    ASSERT_FALSE(zone);
    EXPECT_EQ(zone.error().code, ErrorCode::settings);
    EXPECT_THAT(zone.error().hint, HasSubstr("ACME_DNS_SERVER"));
}

TEST_F(Update, FindsAWrongKeyBeforeAnOrderIsMade) {
    EXPECT_THAT(prover("nobody").check({"example.test"}).error().message, HasSubstr("BADKEY"));
    DnsUpdate wrong(server_->place(), server_->key_file("writer", "YWJj"), {});
    EXPECT_THAT(wrong.check({"example.test"}).error().message, HasSubstr("BADSIG"));
    DnsUpdate missing(server_->place(), "/nonexistent/key", {});
    EXPECT_THAT(missing.check({"example.test"}).error().message, HasSubstr("/nonexistent/key"));
}

TEST_F(Update, TellsThatAZoneIsLockedAndTakesTheOthersRecordsBack) {
    {
        DnsUpdate made = prover();
        const auto shown = made.show(std::vector{challenge("example.test"), challenge("locked.test")});
        ASSERT_FALSE(shown);
        EXPECT_EQ(shown.error().code, ErrorCode::settings);
        EXPECT_THAT(shown.error().message, AllOf(HasSubstr("_acme-challenge.locked.test."), HasSubstr("REFUSED")));
        EXPECT_THAT(shown.error().hint,
                    AllOf(HasSubstr("update-policy"), HasSubstr("locked.test."), HasSubstr("writer")));
        EXPECT_EQ(server_->texts("_acme-challenge.example.test.").size(), 1U);
    }
    EXPECT_THAT(server_->texts("_acme-challenge.example.test."), IsEmpty());
}

TEST_F(Update, NamesAServerThatIsNotThere) {
    const std::string place = fmt::format("127.0.0.1:{}", free_port());
    const auto checked = DnsUpdate(place, server_->key_file("writer"), {}).check({"example.test"});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::network);
    EXPECT_THAT(checked.error().message, HasSubstr(place));
}

TEST_F(Update, IsWaitedForAtEveryServerThatCanBeAsked) {
    const DnsServer dead = *DnsServer::find(fmt::format("127.0.0.1:{}", free_port()));
    const std::string owner = "late.example.test.";
    const DnsServer signing = server_->signing();
    std::thread later([&] {
        EXPECT_TRUE(signing.update("example.test.", std::vector{DnsChange{DnsChange::Kind::add, owner, "text"}}));
    });
    const auto shown = await_shown({dead, server_->not_signing(), signing}, owner, {"text"});
    later.join();
    ASSERT_TRUE(shown) << shown.error().message;
    EXPECT_THAT(server_->texts(owner), ElementsAre("text"));
}

TEST(HostResolvers, AreThoseOfTheHostsFile) {
    const Folder root;
    const Paths paths{root.path()};
    EXPECT_TRUE(host_resolvers(paths).empty());
    ASSERT_TRUE(make_folder(root / "etc", 0755));
    ASSERT_TRUE(write_file(root / "etc/resolv.conf",
                           "# nameserver 192.0.2.9\nsearch example.test\nnameserver 192.0.2.1\nnameserver\n"
                           "  nameserver 2001:db8::1 \noptions edns0\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
                           0644));
    std::vector<std::string> places;
    for (const auto& resolver : host_resolvers(paths))
        places.push_back(resolver.place());
    EXPECT_THAT(places, ElementsAre("192.0.2.1", "[2001:db8::1]", "192.0.2.3"));
}

} // namespace
} // namespace commento
