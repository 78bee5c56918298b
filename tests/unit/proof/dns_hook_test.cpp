#include "proof/dns_hook.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const std::vector<Challenge> kChallenges{{"comments.example", "dns-01", "", "one", "one.print"},
                                         {"other.example", "dns-01", "", "two", "two.print"},
                                         {"third.example", "dns-01", "", "three", "three.print"}};

class Hooks : public testing::Test {
  protected:
    std::string script(const std::string& name, const std::string& body, mode_t mode = 0755) {
        EXPECT_TRUE(write_file(folder_ / name, "#!/bin/sh\n" + body, mode));
        return folder_ / name;
    }
    /// A line that adds to the log: the script's word, then that text.
    std::string note(const std::string& text) const {
        return fmt::format("echo \"$(basename $0) {}\" >>{}\n", text, (folder_ / "log").string());
    }
    std::string log() const { return read_file(folder_ / "log").value_or(""); }

    Folder folder_;
};

TEST_F(Hooks, AreCalledForEachChallengeAndBackwardsToCleanUp) {
    const std::string add = script("add", note("$CERTBOT_DOMAIN $CERTBOT_VALIDATION $CERTBOT_ALL_DOMAINS "
                                               "$CERTBOT_REMAINING_CHALLENGES") +
                                              "echo; echo \"  id of $CERTBOT_DOMAIN \"; echo noise >&2\n");
    const std::string remove = script("remove", note("$CERTBOT_DOMAIN $CERTBOT_VALIDATION $CERTBOT_ALL_DOMAINS "
                                                     "$CERTBOT_REMAINING_CHALLENGES [$CERTBOT_AUTH_OUTPUT]"));
    {
        DnsHook prover(add, remove);
        ASSERT_TRUE(prover.check({"comments.example"}));
        ASSERT_TRUE(prover.show(std::span(kChallenges).first(2)));
    }
    const std::string all = "comments.example,other.example";
    const std::string one = record_of(kChallenges[0]);
    const std::string two = record_of(kChallenges[1]);
    EXPECT_EQ(log(), fmt::format("add comments.example {1} {0} 1\n"
                                 "add other.example {2} {0} 0\n"
                                 "remove other.example {2} {0} 0 [id of other.example]\n"
                                 "remove comments.example {1} {0} 1 [id of comments.example]\n",
                                 all, one, two));
}

TEST_F(Hooks, SeeACleanEnvironment) {
    ::setenv("LEAKED", "secret", 1);
    DnsHook prover(script("add", fmt::format("env >{}\n", (folder_ / "log").string())), "");
    ASSERT_TRUE(prover.show(kChallenges));
    EXPECT_THAT(log(), AllOf(HasSubstr("PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"), HasSubstr("LC_ALL=C.UTF-8\n"),
                             HasSubstr("CERTBOT_DOMAIN=third.example\n"), Not(HasSubstr("LEAKED")),
                             Not(HasSubstr("CERTBOT_TOKEN")), Not(HasSubstr("CERTBOT_AUTH_OUTPUT"))));
}

TEST_F(Hooks, ThatFailAreQuotedAndCleanedUpAfter) {
    const std::string add =
        script("add", note("$CERTBOT_DOMAIN") + "echo added; [ $CERTBOT_DOMAIN != other.example ] ||"
                                                " { printf 'no\\tsuch zone\\n' >&2; exit 3; }\n");
    const std::string remove = script("remove", note("$CERTBOT_DOMAIN [${CERTBOT_AUTH_OUTPUT?}]"));
    {
        DnsHook prover(add, remove);
        const auto shown = prover.show(kChallenges);
        ASSERT_FALSE(shown);
        EXPECT_EQ(shown.error().code, ErrorCode::network);
        EXPECT_THAT(shown.error().message,
                    AllOf(HasSubstr(add), HasSubstr("other.example"), HasSubstr("status 3"), EndsWith("no such zone")));
    }
    EXPECT_EQ(log(), "add comments.example\nadd other.example\n"
                     "remove other.example []\nremove comments.example [added]\n");
}

TEST_F(Hooks, ThatFailToCleanUpDoNotKeepTheOthersFromIt) {
    {
        DnsHook prover(script("add", "true\n"), script("remove", note("$CERTBOT_DOMAIN") + "exit 1\n"));
        ASSERT_TRUE(prover.show(kChallenges));
    }
    EXPECT_EQ(log(), "remove third.example\nremove other.example\nremove comments.example\n");
}

TEST_F(Hooks, ThatPrintMuchAreQuotedInBounds) {
    DnsHook prover(script("add", "head -c 1000000 /dev/zero | tr '\\0' x >&2; echo the reason >&2; exit 1\n"), "");
    const auto shown = prover.show(kChallenges);
    ASSERT_FALSE(shown);
    EXPECT_LT(shown.error().message.size(), 1000U);
}

TEST_F(Hooks, ThatCannotBeRunAreFoundBefore) {
    const std::string good = script("good", "true\n");
    const std::string plain = script("plain", "true\n", 0644);
    for (const std::string& bad : {(folder_ / "missing").string(), plain, folder_.path().string()}) {
        EXPECT_THAT(DnsHook(bad, good).check({}).error().message, AllOf(HasSubstr("ACME_DNS_HOOK"), HasSubstr(bad)));
        EXPECT_THAT(DnsHook(good, bad).check({}).error().message,
                    AllOf(HasSubstr("ACME_DNS_CLEANUP_HOOK"), HasSubstr(bad)));
        EXPECT_EQ(DnsHook(bad, "").check({}).error().code, ErrorCode::settings);
    }
    EXPECT_TRUE(DnsHook(good, "").check({}));
}

TEST_F(Hooks, ThatAreNoProgramsFailWithTheirName) {
    ASSERT_TRUE(write_file(folder_ / "text", "no interpreter is named here\n", 0755));
    DnsHook prover(folder_ / "text", "");
    const auto shown = prover.show(kChallenges);
    ASSERT_FALSE(shown);
    EXPECT_THAT(shown.error().message, HasSubstr((folder_ / "text").string() + ": Exec format error"));
}

} // namespace
} // namespace commento
