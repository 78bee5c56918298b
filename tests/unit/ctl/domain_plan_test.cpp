#include "base/files.hpp"
#include "ctl/domain_plan.hpp"

#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Settings settings_of(const std::string& more = "") {
    auto examined = Settings::examine("DOMAIN=comments.example.org\nEMAIL=me@example.org\n" + more, "", {});
    EXPECT_THAT(examined.faults, IsEmpty());
    return examined.settings;
}

/// The settings with these values, as they would be read back.
Settings with(const KeyValues& values) {
    std::string text = "EMAIL=me@example.org\n";
    for (const auto& [key, value] : values)
        text += format_assignment(key, value) + "\n";
    auto examined = Settings::examine(text, "", {});
    EXPECT_THAT(examined.faults, IsEmpty());
    return examined.settings;
}

constexpr const char* kOld = "comments.example.org";
constexpr const char* kNew = "talk.example.net";

TEST(DomainChange, AsksForACertificateOfBothNamesWhileTheFormerOneIsServed) {
    const Settings during = with(with_both_names(domain_keys(settings_of()), kNew));
    EXPECT_THAT(during.site_names(), ElementsAre(kOld));
    EXPECT_THAT(during.redirect_names(), ElementsAre(kNew));
    EXPECT_EQ(during.origin(), "https://comments.example.org");
}

TEST(DomainChange, EndsWithTheNewNameServedAndTheSameCertificate) {
    const KeyValues before = domain_keys(settings_of());
    const Settings during = with(with_both_names(before, kNew));
    const Settings after = with(with_new_domain(before, kNew));
    EXPECT_THAT(after.site_names(), ElementsAre(kNew));
    EXPECT_THAT(after.redirect_names(), ElementsAre(kOld));
    EXPECT_EQ(after.origin(), "https://talk.example.net");
    EXPECT_THAT(after.certificate_names(), testing::UnorderedElementsAreArray(during.certificate_names()));
}

TEST(DomainChange, KeepsFurtherNamesAndThoseThatLeadToThem) {
    const KeyValues before =
        domain_keys(settings_of("TLS_NAMES=\"www.example.org TALK.example.net\"\nREDIRECT_NAMES=old.example.org\n"));
    const Settings after = with(with_new_domain(before, kNew));
    EXPECT_THAT(after.site_names(), ElementsAre(kNew, "www.example.org"));
    EXPECT_THAT(after.redirect_names(), ElementsAre(kOld, "old.example.org"));
}

TEST(DomainChange, ToANameThatLedHereTakesItOutOfThose) {
    const KeyValues before = domain_keys(settings_of("REDIRECT_NAMES=\"a.example.org talk.example.net\"\n"));
    EXPECT_THAT(with(with_both_names(before, kNew)).redirect_names(), ElementsAre(kNew, "a.example.org"));
    EXPECT_THAT(with(with_new_domain(before, kNew)).redirect_names(), ElementsAre(kOld, "a.example.org"));
}

TEST(DomainChange, ThereAndBackIsWhereItBeganButForTheNameThatLeadsThere) {
    const KeyValues before = domain_keys(settings_of("COMMENTO_ORIGIN=https://comments.example.org:8443/talk/\n"));
    const KeyValues after = with_new_domain(before, kNew);
    EXPECT_EQ(after.at("COMMENTO_ORIGIN"), "https://talk.example.net:8443/talk/");
    KeyValues back = with_new_domain(after, kOld);
    EXPECT_EQ(back.at("REDIRECT_NAMES"), kNew);
    back["REDIRECT_NAMES"] = "";
    EXPECT_EQ(back, before);
}

TEST(DomainChange, LeavesAddressesOfOtherHostsAlone) {
    const KeyValues before = domain_keys(settings_of("COMMENTO_ORIGIN=https://www.example.org\n"
                                                     "COMMENTO_CDN_PREFIX=https://cdn.comments.example.org/x\n"));
    const KeyValues after = with_new_domain(before, kNew);
    EXPECT_EQ(after.at("COMMENTO_ORIGIN"), "https://www.example.org");
    EXPECT_EQ(after.at("COMMENTO_CDN_PREFIX"), "https://cdn.comments.example.org/x");
}

class TakenBack : public testing::Test {
  protected:
    static constexpr const char* kText =
        "# mine\nDOMAIN=comments.example.org\n#REDIRECT_NAMES=\nEMAIL=me@example.org\n";
    const SettingsFiles former{kText, std::nullopt};
    const DomainChange change{kOld, kNew, DomainPhase::application, domain_keys(settings_of()), kText};

    std::string back_from(const SettingsFiles& present) { return without_change(present, change, {})->settings; }
};

TEST_F(TakenBack, GivesTheFormerTextToTheLetter) {
    const auto both = *with_values(former, with_both_names(change.before, kNew), {});
    const auto after = *with_values(both, with_new_domain(change.before, kNew), {});
    EXPECT_NE(both.settings, kText);
    EXPECT_NE(after.settings, both.settings);
    EXPECT_EQ(back_from(former), kText);
    EXPECT_EQ(back_from(both), kText);
    EXPECT_EQ(back_from(after), kText);
}

TEST_F(TakenBack, KeepsWhatSomebodyElseWroteMeanwhile) {
    auto after = *with_values(former, with_new_domain(change.before, kNew), {});
    after.settings += "COMMENTO_FORBID_NEW_OWNERS=true\n";
    const std::string back = back_from(after);
    EXPECT_THAT(back, HasSubstr("COMMENTO_FORBID_NEW_OWNERS=true\n"));
    EXPECT_THAT(back, HasSubstr("\nDOMAIN=comments.example.org\n"));
    EXPECT_THAT(back, HasSubstr("\nREDIRECT_NAMES=\n"));
}

TEST(Covers, KnowsNamesInAnyCaseAndWildcardsOfOneLabel) {
    EXPECT_TRUE(covers({"a.example.org", "Talk.example.net"}, kNew));
    EXPECT_TRUE(covers({"*.example.net"}, kNew));
    EXPECT_FALSE(covers({"*.net", "example.net", "*.talk.example.net"}, kNew));
    EXPECT_FALSE(covers({}, kNew));
}

TEST(ChoresAfter, NamesTheCallbackOfEachServiceThatIsSetUp) {
    EXPECT_THAT(chores_after(settings_of()), IsEmpty());
    EXPECT_THAT(chores_after(settings_of("COMMENTO_GITHUB_KEY=abc\n")),
                ElementsAre("tell GitHub the new callback address: "
                            "https://comments.example.org/api/oauth/github/callback"));
}

TEST(DomainRecord, IsReadBackAsItWasWritten) {
    const DomainRecord record{DomainChange{kOld, kNew, DomainPhase::application,
                                           domain_keys(settings_of("TLS_NAMES=b.example.org\n")), "# text\n"},
                              "first.example.org"};
    const Folder folder;
    const Paths paths{folder.path()};
    ASSERT_TRUE(write_domain_record(record, paths));
    const auto back = read_domain_record(paths);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->former, "first.example.org");
    ASSERT_TRUE(back->change);
    EXPECT_EQ(back->change->from, kOld);
    EXPECT_EQ(back->change->to, kNew);
    EXPECT_EQ(back->change->phase, DomainPhase::application);
    EXPECT_EQ(back->change->before, record.change->before);
    EXPECT_EQ(back->change->text, "# text\n");
}

TEST(DomainRecord, IsEmptyWhereThereIsNone) {
    const Folder folder;
    const auto record = read_domain_record(Paths{folder.path()});
    ASSERT_TRUE(record);
    EXPECT_FALSE(record->change);
    EXPECT_THAT(record->former, IsEmpty());
}

TEST(DomainRecord, ThatIsDamagedIsRefusedWithWhatToDo) {
    for (const char* text : {"", "{", "[]", R"({"former":1})",
                             R"({"former":"","change":{"from":"a","to":"b","phase":"application","before":{}}})"}) {
        const auto record = parse_domain_record(text);
        ASSERT_FALSE(record) << text;
        EXPECT_EQ(record.error().code, ErrorCode::storage);
    }
    const Folder folder;
    const Paths paths{folder.path()};
    std::filesystem::create_directories(paths.domain());
    ASSERT_TRUE(write_file(paths.domain_change(), "{", 0644));
    EXPECT_THAT(read_domain_record(paths).error().hint, HasSubstr("REDIRECT_NAMES"));
}

} // namespace
} // namespace commento
