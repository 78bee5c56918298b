#include "golden.hpp"

#include <cstdlib>
#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Site any_site() {
    const Settings settings =
        Settings::examine("DOMAIN=comments.example.org\nEMAIL=you@example.org\n", "", {}).settings;
    return describe_site(settings, {}, {{1, 22, 1}, true}, certificate_that(false));
}

class GoldenSite : public testing::TestWithParam<Golden> {};

// GOLDEN_UPDATE=1 writes what is rendered now; git diff then shows what a change of the template does.
TEST_P(GoldenSite, IsRenderedAsExpected) {
    const auto settings = Settings::load(GetParam().in());
    ASSERT_TRUE(settings) << settings.error().message;
    const auto text = render_site(shipped_template(), describe_site(*settings, Paths{}, GetParam().host,
                                                                    certificate_that(GetParam().names_responder)));
    ASSERT_TRUE(text) << text.error().message;
    if (std::getenv("GOLDEN_UPDATE") != nullptr) {
        ASSERT_TRUE(write_file(GetParam().out().nginx_site(), *text, 0644));
    }
    EXPECT_EQ(*text, read_file(GetParam().out().nginx_site()).value_or("no such file"));
}

INSTANTIATE_TEST_SUITE_P(All, GoldenSite, testing::ValuesIn(all_golden()), [](const auto& golden) {
    std::string name = golden.param.name;
    std::erase(name, '-');
    return name;
});

TEST(RenderSite, NeverClaimsToBeTheDefaultServer) {
    const std::string directives = *render_site(shipped_template(), any_site());
    EXPECT_THAT(directives, Not(HasSubstr("default_server")));
}

TEST(RenderSite, WritesValuesAsTheyAre) {
    Site site = any_site();
    site.readers_address = "https://example.org/a&b<c>'d'";
    EXPECT_THAT(*render_site("{{readers_address}}", site), site.readers_address);
}

TEST(RenderSite, NamesTheFaultOfATemplateThatDoesNotParse) {
    const auto text = render_site("{{#ipv6}} never closed", any_site());
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, ErrorCode::web);
    EXPECT_THAT(text.error().message, Not(IsEmpty()));
}

TEST(RenderSite, LeadsToASecondInstanceAndBackWhereThatRefuses) {
    Site site = any_site();
    site.beside_port = 8081;
    const std::string text = *render_site(shipped_template(), site);
    EXPECT_THAT(text, HasSubstr("server 127.0.0.1:8081 max_conns=24576 max_fails=0;\n"
                                "    server 127.0.0.1:8080 max_conns=24576 max_fails=0 backup;\n"));
    EXPECT_NE(mark_in(text), mark_in(*render_site(shipped_template(), any_site())));
}

TEST(Mark, IsInTheRenderedText) {
    EXPECT_THAT(mark_in(*render_site(shipped_template(), any_site())), testing::MatchesRegex("[0-9a-f]{16}"));
}

TEST(Mark, StaysTheSameForTheSameSite) {
    EXPECT_EQ(*render_site(shipped_template(), any_site()), *render_site(shipped_template(), any_site()));
}

TEST(Mark, ChangesWithEverySetting) {
    const std::string mark = mark_in(*render_site(shipped_template(), any_site()));
    Site other = any_site();
    other.application_port = 8082;
    EXPECT_NE(mark_in(*render_site(shipped_template(), other)), mark);
}

TEST(Mark, IsEmptyForATextOfAnotherHand) { EXPECT_THAT(mark_in("server { }"), IsEmpty()); }

} // namespace
} // namespace commento
