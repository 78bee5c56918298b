#include "ctl/everyday.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Not;
using testing::StartsWith;

TEST(EmbedSnippet, LoadsTheScriptFromTheSite) {
    EXPECT_EQ(embed_snippet("https://comments.example.org"),
              "<div id=\"commento\"></div>\n"
              "<script defer src=\"https://comments.example.org/js/commento.js\"></script>");
}

TEST(JournalArguments, NameTheUnitsOfAPartOnly) {
    EXPECT_THAT(journal_arguments("web", false),
                ElementsAre("journalctl", "--pager-end", "--unit=nginx.service", "--unit=commento-nginx-*"));
}

TEST(JournalArguments, NameAllUnitsWithoutAPart) {
    const auto arguments = journal_arguments("", false);
    EXPECT_THAT(arguments, Contains("--unit=commento.service"));
    EXPECT_THAT(arguments, Contains("--unit=commento-cert-*"));
    EXPECT_THAT(arguments, Contains("--unit=postgresql*"));
    EXPECT_THAT(arguments, Each(Not(StartsWith("--follow"))));
}

TEST(JournalArguments, FollowWithoutAPager) {
    const auto arguments = journal_arguments("application", true);
    EXPECT_THAT(arguments, Contains("--follow"));
    EXPECT_THAT(arguments, Not(Contains("--pager-end")));
}

} // namespace
} // namespace commento
