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

const std::vector<std::string> kInstalled{"commento-app-health@.service", "commento-cert-renew.service",
                                          "commento-nginx-render.service", "commento-nginx-reload.path",
                                          "nginx.service"};

TEST(JournalArguments, NameTheUnitsOfAPartOnly) {
    EXPECT_THAT(journal_arguments("web", false, kInstalled),
                ElementsAre("journalctl", "--pager-end", "--unit=nginx.service", "--unit=commento-nginx-render.service",
                            "--unit=commento-nginx-reload.path"));
}

TEST(JournalArguments, NameAllUnitsWithoutAPartAndAnyInstanceOfATemplate) {
    const auto arguments = journal_arguments("", false, kInstalled);
    EXPECT_THAT(arguments, Contains("--unit=commento.service"));
    EXPECT_THAT(arguments, Contains("--unit=commento-cert-renew.service"));
    EXPECT_THAT(arguments, Contains("--unit=commento-app-health@*"));
    EXPECT_THAT(arguments, Contains("--unit=postgresql*"));
    EXPECT_THAT(arguments, Each(Not(StartsWith("--follow"))));
}

TEST(JournalArguments, FollowWithoutAPager) {
    const auto arguments = journal_arguments("application", true, kInstalled);
    EXPECT_THAT(arguments, Contains("--follow"));
    EXPECT_THAT(arguments, Not(Contains("--pager-end")));
}

} // namespace
} // namespace commento
