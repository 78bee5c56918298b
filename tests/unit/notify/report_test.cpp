#include "notify/report.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::Not;

Report failure() {
    return {.occasion = Occasion::failed,
            .unit = "commento-cert-renew",
            .host = "host",
            .site = "https://c.example.org",
            .when = 1'800'000'000,
            .ended = "exit status 5: A server could not be reached or did not answer in time.",
            .message = "one\ntwo",
            .hint = "do this",
            .since = 1'799'999'000,
            .failures = 3,
            .exit_status = 5};
}

TEST(Presentable, KeepsTwentyLinesWithoutControlCharacters) {
    EXPECT_EQ(presentable("a\x1b[2J\nb\r"), "a [2J\nb ");
    std::string many;
    for (int i = 0; i < 25; ++i)
        many += "x\n";
    EXPECT_THAT(presentable(many), HasSubstr("(5 more lines are in the journal)"));
}

TEST(Body, SaysWhatFailedHowItEndedAndWhereToLook) {
    const std::string body = body_of(failure());
    for (const char* words : {"commento-cert-renew.service failed on host.", "  one\n  two\n  hint: do this\n",
                              "3 times on end", "It ended with exit status 5: A server", "Site: https://c.example.org",
                              "  commentoctl status\n  journalctl -u commento-cert-renew.service -n 50\n"})
        EXPECT_THAT(body, HasSubstr(words));
}

TEST(Body, OfTheEndSaysHowLongItLasted) {
    Report report = failure();
    report.occasion = Occasion::well;
    report.message = report.hint = report.ended = "";
    EXPECT_THAT(body_of(report), HasSubstr("is well again on host."));
    EXPECT_THAT(body_of(report), HasSubstr("It had failed since"));
    EXPECT_THAT(body_of(report), Not(HasSubstr("hint")));
}

TEST(Subject, HoldsNothingThatWasLogged) {
    EXPECT_EQ(subject_of(failure()), "[https://c.example.org] commento-cert-renew failed");
}

TEST(Json, HasTheSameForPrograms) {
    Report report = failure();
    report.message = "bad \xff byte";
    const auto json = nlohmann::json::parse(json_of(report));
    EXPECT_EQ(json["state"], "failed");
    EXPECT_EQ(json["unit"], "commento-cert-renew.service");
    EXPECT_EQ(json["exit_status"], 5);
    EXPECT_EQ(json["since"], "2027-01-15T07:43:20Z");
    report.exit_status = -1;
    report.occasion = Occasion::test;
    report.unit = "";
    EXPECT_TRUE(nlohmann::json::parse(json_of(report))["exit_status"].is_null());
    EXPECT_TRUE(nlohmann::json::parse(json_of(report))["unit"].is_null());
}

} // namespace
} // namespace commento
