#include "ctl/caa.hpp"

#include <gmock/gmock.h>
#include <map>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kLetsEncrypt{"letsencrypt.org"};

bool may_issue(const std::vector<std::string>& records, bool wildcard = false) {
    return allows(records, kLetsEncrypt, wildcard);
}

TEST(Caa, WithoutRecordsEverybodyMayIssue) { EXPECT_TRUE(may_issue({})); }

TEST(Caa, OnlyTheNamedAuthoritiesMayIssue) {
    EXPECT_TRUE(may_issue({"0 issue letsencrypt.org"}));
    EXPECT_TRUE(may_issue({"0 issue other.example", "0 issue letsencrypt.org"}));
    EXPECT_FALSE(may_issue({"0 issue other.example"}));
    EXPECT_FALSE(may_issue({"0 issue ;"}));
    EXPECT_FALSE(may_issue({"0 issue "}));
}

TEST(Caa, TagsAndNamesAreReadInEitherCaseAndParametersAreLeftToTheAuthority) {
    EXPECT_TRUE(may_issue({"0 ISSUE LetsEncrypt.org"}));
    EXPECT_TRUE(may_issue({"0 issue letsencrypt.org; validationmethods=http-01"}));
    EXPECT_TRUE(may_issue({"0 issue   letsencrypt.org ;accounturi=https://a.example/1"}));
}

TEST(Caa, IssuewildDecidesForWildcardsWhereThereIsOne) {
    const std::vector<std::string> records{"0 issue letsencrypt.org", "0 issuewild other.example"};
    EXPECT_TRUE(may_issue(records));
    EXPECT_FALSE(may_issue(records, true));
    EXPECT_TRUE(may_issue({"0 issue letsencrypt.org"}, true));
    EXPECT_TRUE(may_issue({"0 issuewild other.example"}));
}

TEST(Caa, OtherTagsRestrictNothingUnlessTheyAreCritical) {
    EXPECT_TRUE(may_issue({"0 iodef mailto:you@example.org", "0 issuemail other.example"}));
    EXPECT_TRUE(may_issue({"128 iodef mailto:you@example.org"}));
    EXPECT_TRUE(may_issue({"0 future x"}));
    EXPECT_FALSE(may_issue({"128 future x", "0 issue letsencrypt.org"}));
}

TEST(Caa, ThePolicyIsTheNearestOneUpTheTree) {
    std::map<std::string, std::vector<std::string>> zone{{"example.test", {"0 issue a.example"}},
                                                         {"b.example.test", {"0 issue b.example"}}};
    std::vector<std::string> asked;
    const auto ask = [&](const std::string& name) -> Result<std::vector<std::string>> {
        asked.push_back(name);
        return zone[name];
    };
    EXPECT_EQ(find_policy("a.b.example.test", ask)->owner, "b.example.test");
    EXPECT_THAT(asked, ElementsAre("a.b.example.test", "b.example.test"));
    EXPECT_EQ(find_policy("*.c.example.test", ask)->owner, "example.test");
    const auto none = find_policy("example.org", ask);
    EXPECT_EQ(none->owner, "");
    EXPECT_THAT(none->records, IsEmpty());
}

TEST(Caa, WhatCannotBeAskedIsTheFailure) {
    const auto policy = find_policy("a.example", [](const std::string&) -> Result<std::vector<std::string>> {
        return fail(ErrorCode::network, "no answer");
    });
    ASSERT_FALSE(policy);
    EXPECT_EQ(policy.error().code, ErrorCode::network);
}

} // namespace
} // namespace commento
