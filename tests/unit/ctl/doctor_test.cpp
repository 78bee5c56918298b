#include "ctl/doctor.hpp"

#include "ctl/known_versions.hpp"

#include <gmock/gmock.h>
#include <set>

namespace commento {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::vector<Examination> kExamined{
    {{"a.well", "A is well", nullptr}, ok("nothing wrong")},
    {{"a.old", "A is new", nullptr}, warning("two years old", advise("get another one"))},
    {{"b.broken", "B is whole", nullptr}, fault("in two", safely_all({{"glue", "b's half"}, {"paint", "b"}}))},
    {{"c.none", "C is there", nullptr}, skipped("this host has no C")},
};

TEST(Doctor, TheTableShowsWhatAppliesAndBelowItWhatMends) {
    const std::string text = to_text(kExamined, Look::plain, false);
    EXPECT_THAT(text, AllOf(HasSubstr("a.well"), HasSubstr("two years old"), Not(HasSubstr("c.none"))));
    EXPECT_THAT(text, HasSubstr("4 checks: 1 ok, 1 warnings, 1 faults, 1 do not apply"));
    EXPECT_THAT(text, HasSubstr("a.old:\n    get another one"));
    EXPECT_THAT(text, HasSubstr("b.broken:\n    sudo glue 'b'\\''s half' && sudo paint b"));
    EXPECT_THAT(to_text(kExamined, Look::plain, true), HasSubstr("this host has no C"));
}

TEST(Doctor, TheJsonHoldsEachCheck) {
    const auto json = to_json(kExamined);
    EXPECT_EQ(json.at("healthy"), false);
    ASSERT_EQ(json.at("checks").size(), 4U);
    EXPECT_EQ(json.at("checks")[2].dump(), R"({"check":"b.broken","title":"B is whole","found":"fault","saw":"in two",)"
                                           R"("remedy":"sudo glue 'b'\\''s half' && sudo paint b","safe":true})");
    EXPECT_TRUE(json.at("checks")[0].at("remedy").is_null());
}

TEST(Doctor, WarningsAreNoFaults) {
    const auto all = verdict(kExamined);
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, ErrorCode::unhealthy);
    EXPECT_EQ(all.error().message, "faults: b.broken");
    EXPECT_TRUE(verdict({kExamined[0], kExamined[1], kExamined[3]}));
}

TEST(Checks, EachHasANameOfItsOwn) {
    std::set<std::string> names;
    for (const auto& check : all_checks())
        EXPECT_TRUE(names.insert(check.name).second) << check.name;
    EXPECT_GE(names.size(), 30U);
}

TEST(Checks, AreChosenByGroupOrName) {
    const auto names = [](const std::vector<std::string>& words) {
        std::vector<std::string> found;
        const auto checks = checks_named(words);
        for (const auto& check : checks.value())
            found.emplace_back(check.name);
        return found;
    };
    EXPECT_THAT(names({"clock"}), ElementsAre("clock.time"));
    EXPECT_THAT(names({"tls", "clock.time"}), ElementsAre("clock.time", "tls.served", "tls.trusted"));
    EXPECT_EQ(names({}).size(), all_checks().size());
    const auto none = checks_named({"clock", "moon"});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().message, "no check is called moon");
}

TEST(SeLinux, IsPassedOverWhereItDoesNotEnforce) {
    const Paths paths{"/nonexistent"};
    CheckedHost host(paths, Settings::examine("", "", paths).settings);
    const auto checks = checks_named({"selinux"});
    for (const auto& check : checks.value()) {
        const Finding finding = check.look(host);
        EXPECT_EQ(finding.level, Level::skipped) << check.name;
        EXPECT_EQ(finding.saw, "SELinux does not enforce anything here");
    }
}

TEST(KnownVersions, PostgresqlHasAnEndOfSupport) {
    EXPECT_EQ(version_of_postgresql(150008), "15.8");
    EXPECT_EQ(support_end_of_postgresql(150008), "2027-11-11");
    EXPECT_EQ(support_end_of_postgresql(120022), "2024-11-21");
    EXPECT_EQ(support_end_of_postgresql(90624), "2022-11-10"); // older than all that are known: ended as well
    EXPECT_EQ(support_end_of_postgresql(990000), "");
}

TEST(KnownVersions, ReleasesBeforeTheLastAreOutdated) {
    EXPECT_EQ(why_outdated("commentoplusplus-1.8.7"), "");
    EXPECT_EQ(why_outdated("something-2.0"), "");
    EXPECT_THAT(why_outdated("commentoplusplus-1.8.3"), HasSubstr("1.8.7"));
    EXPECT_THAT(why_outdated("commento-v1.8.0"), HasSubstr("ended"));
}

} // namespace
} // namespace commento
