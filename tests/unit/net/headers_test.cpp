#include "net/http.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kNow = 784'111'777; // Sun, 06 Nov 1994 08:49:37 GMT, RFC 9110's own example

TEST(RetryAfter, IsANumberOfSeconds) {
    EXPECT_EQ(parse_retry_after("120", kNow), 120);
    EXPECT_EQ(parse_retry_after("0", kNow), std::nullopt);
    EXPECT_EQ(parse_retry_after("-5", kNow), std::nullopt);
}

TEST(RetryAfter, OrADateInAnyFormOfRfc9110) {
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kNow - 60), 60);
    EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", kNow - 60), 60);
    EXPECT_EQ(parse_retry_after("Sun Nov  6 08:49:37 1994", kNow - 60), 60);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kNow + 60), std::nullopt);
}

TEST(RetryAfter, OrNothing) {
    EXPECT_EQ(parse_retry_after("", kNow), std::nullopt);
    EXPECT_EQ(parse_retry_after("soon", kNow), std::nullopt);
    EXPECT_EQ(parse_retry_after("12 minutes", kNow), std::nullopt);
    EXPECT_EQ(parse_retry_after("99999999999999999999999", kNow), std::nullopt);
}

TEST(RetryAfter, IsAWeekAtMost) {
    EXPECT_EQ(parse_retry_after("100000000000", kNow), 7 * 86400);
    EXPECT_EQ(parse_retry_after("9223372036854775807", kNow), 7 * 86400);
    EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", kNow), 7 * 86400);
}

TEST(Link, IsFoundByItsRelation) {
    const char* header =
        "<https://ca.example/dir>;rel=\"index\", <https://ca.example/2>; title=\"a, b; c\" ; rel=\"alternate\", "
        "<https://ca.example/3>;rel=alternate";
    EXPECT_THAT(links_in(header, "alternate"), ElementsAre("https://ca.example/2", "https://ca.example/3"));
    EXPECT_THAT(links_in(header, "index"), ElementsAre("https://ca.example/dir"));
    EXPECT_THAT(links_in(header, "up"), IsEmpty());
}

TEST(Link, MayHaveSeveralRelationsInAnyCase) {
    EXPECT_THAT(links_in("</a>; REL=\"up Alternate\"", "alternate"), ElementsAre("/a"));
}

TEST(Link, ThatIsDamagedIsPassedOver) {
    for (const char* header :
         {"", "<", ">", "<a", "<a>", "<a>;", "<a>;rel", "<a>;rel=", "<a>;rel=\"", "<a>;;;", "a;rel=alternate"})
        EXPECT_THAT(links_in(header, "alternate"), IsEmpty()) << header;
}

} // namespace
} // namespace commento
