#include "ctl/status.hpp"

#include "base/files.hpp"

#include <algorithm>
#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1764000000; // 2025-11-24T16:00:00Z
constexpr std::int64_t kDay = 86400;

UnitFacts unit(const std::string& active, const std::string& result = "") {
    return {{"loaded", active, active == "active" ? "running" : "dead", "enabled", result, 0, kNow - kDay, "0123"}, {}};
}

UnitFacts failed(const std::string& message, const std::string& hint) {
    UnitFacts facts = unit("failed", "exit-code");
    facts.failure = LastWords{message, hint};
    return facts;
}

Certificate certificate() {
    return {"01ab", "Test CA", {"comments.example"}, kNow - kDay, kNow + 89 * kDay, false, "f1", false};
}

Facts healthy() {
    return {
        .settings = Settings::examine("DOMAIN=comments.example\nEMAIL=you@example.org\n", "", Paths{}),
        .target = unit("active"),
        .application = unit("active", "success"),
        .install = unit("inactive", "success"),
        .provision = unit("inactive", "success"),
        .pool = unit("active", "success"),
        .follow = unit("inactive", "success"),
        .guard = unit("inactive", "success"),
        .nginx = unit("active", "success"),
        .render = unit("inactive", "success"),
        .renew = unit("inactive", "success"),
        .timer = unit("active"),
        .runs = TimerState{kNow - 60, kNow + 540},
        .certificate = certificate(),
        .served = certificate(),
        .database = DatabaseFacts{8123456, kNow - 2 * kDay},
        .release = "commentoplusplus-1.8.7",
        .answer = std::chrono::microseconds(2345),
        .now = kNow,
    };
}

const Part& part_of(const Status& status, const std::string& name) {
    const auto found = std::ranges::find(status.parts, name, &Part::name);
    EXPECT_NE(found, status.parts.end()) << name;
    return *found;
}

Part part(const Facts& facts, const std::string& name) { return part_of(assess(facts), name); }

/// The parts that are not well.
std::vector<std::string> unwell(const Facts& facts) {
    std::vector<std::string> names;
    for (const auto& found : assess(facts).parts) {
        if (found.health == Health::unwell)
            names.push_back(found.name);
    }
    return names;
}

TEST(Status, IsHealthyWhenEveryPartIs) {
    const Status status = assess(healthy());
    EXPECT_TRUE(is_healthy(status));
    EXPECT_TRUE(verdict(status));
    EXPECT_EQ(status.address, "https://comments.example");
    EXPECT_EQ(part_of(status, "application").detail, "commentoplusplus-1.8.7; answers in 2.3 ms");
    EXPECT_EQ(part_of(status, "database").detail, "8.1 MB");
    EXPECT_EQ(part_of(status, "certificate").detail, "comments.example by Test CA, 89 days left");
}

TEST(Status, NamesThePartsThatAreNotWellWithWhatToDo) {
    Facts facts = healthy();
    facts.nginx = unit("inactive", "success");
    facts.served = tl::unexpected(Error{ErrorCode::network, "cannot connect to 127.0.0.1:443", ""});
    facts.answer = tl::unexpected(Error{ErrorCode::network, "not there", ""});
    const Status status = assess(facts);
    EXPECT_FALSE(is_healthy(status));
    const Result<void> result = verdict(status);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::unhealthy);
    EXPECT_EQ(result.error().message, "not well: application, web front");
    EXPECT_EQ(result.error().hint, "application: sudo journalctl -u commento.service\n"
                                   "      web front: sudo systemctl start commento.target");
}

TEST(Status, TellsWhyAUnitFailedInItsOwnWords) {
    Facts facts = healthy();
    facts.renew = failed("the authority refused", "wait");
    const Part renewal = part(facts, "renewal");
    EXPECT_EQ(renewal.health, Health::unwell);
    EXPECT_EQ(renewal.state, "failed");
    EXPECT_THAT(renewal.detail, HasSubstr("the authority refused"));
    EXPECT_EQ(renewal.hint, "wait");
    EXPECT_EQ(renewal.facts.at("last_result"), "exit-code");
}

TEST(Status, PointsToTheJournalWhereAUnitLeftNoWords) {
    Facts facts = healthy();
    facts.application = unit("failed", "signal");
    const Part application = part(facts, "application");
    EXPECT_THAT(application.detail, HasSubstr("commento.service failed: signal"));
    EXPECT_EQ(application.hint, "sudo journalctl -u commento.service");
}

TEST(Status, AnApplicationThatRunsButDoesNotAnswerIsNotWell) {
    Facts facts = healthy();
    facts.answer = tl::unexpected(Error{ErrorCode::application, "GET /login is answered by status 500", ""});
    EXPECT_THAT(unwell(facts), ElementsAre("application"));
    EXPECT_THAT(part(facts, "application").detail, HasSubstr("status 500"));
}

TEST(Status, AReleaseThatCouldNotBeInstalledIsTold) {
    Facts facts = healthy();
    facts.install = failed("wrong checksum", "compare");
    EXPECT_THAT(unwell(facts), ElementsAre("application"));
    EXPECT_THAT(part(facts, "application").detail, HasSubstr("wrong checksum"));
}

TEST(Status, ASiteThatNginxDidNotAcceptIsTold) {
    Facts facts = healthy();
    facts.render = failed("nginx refuses the site", "mend it");
    EXPECT_THAT(unwell(facts), ElementsAre("web front"));
}

TEST(Status, NginxHasToServeTheCertificateThatIsOnDisk) {
    Facts facts = healthy();
    facts.served->fingerprint = "f2";
    EXPECT_THAT(unwell(facts), ElementsAre("web front"));
    EXPECT_EQ(part(facts, "web front").hint, "sudo commentoctl nginx reload");
}

TEST(Status, APlaceholderIsShownAsSuch) {
    Facts facts = healthy();
    facts.certificate->self_signed = true;
    const Part found = part(facts, "certificate");
    EXPECT_EQ(found.health, Health::unwell);
    EXPECT_EQ(found.state, "placeholder");
    EXPECT_EQ(found.facts.at("placeholder"), true);
}

TEST(Status, ASelfSignedCertificateIsWellWhereTheSettingsWantIt) {
    Facts facts = healthy();
    facts.certificate->self_signed = true;
    facts.settings =
        Settings::examine("DOMAIN=comments.example\nEMAIL=you@example.org\nTLS_MODE=selfsigned\n", "", Paths{});
    EXPECT_EQ(part(facts, "certificate").state, "valid");
    EXPECT_TRUE(is_healthy(assess(facts)));
}

TEST(Status, AnExpiredCertificateIsNotWell) {
    Facts facts = healthy();
    facts.certificate->not_after = kNow;
    EXPECT_EQ(part(facts, "certificate").state, "expired");
    EXPECT_THAT(unwell(facts), ElementsAre("certificate"));
}

TEST(Status, AMissingCertificateIsToldFromOneThatMayNotBeRead) {
    Facts facts = healthy();
    facts.certificate = tl::unexpected(Error{ErrorCode::storage, "cannot open x", ""});
    EXPECT_EQ(part(facts, "certificate").state, "missing");
    facts.certificate = tl::unexpected(Error{ErrorCode::permission, "cannot open x", ""});
    EXPECT_EQ(part(facts, "certificate").health, Health::unknown);
}

TEST(Status, WhatOnlyRootMaySeeIsUnknownAndNoIllness) {
    Facts facts = healthy();
    facts.database = tl::unexpected(Error{ErrorCode::permission, "peer authentication failed", ""});
    const Status status = assess(facts);
    EXPECT_EQ(part_of(status, "database").health, Health::unknown);
    EXPECT_THAT(part_of(status, "database").detail, HasSubstr("sudo commentoctl status"));
    EXPECT_TRUE(is_healthy(status));
}

TEST(Status, ADatabaseThatDoesNotAnswerIsNotWell) {
    Facts facts = healthy();
    facts.database = tl::unexpected(Error{ErrorCode::database, "no socket", "is PostgreSQL up?"});
    EXPECT_THAT(unwell(facts), ElementsAre("database"));
}

TEST(Status, AFaultOfTheSettingsIsShown) {
    Facts facts = healthy();
    facts.settings = Settings::examine("DOMAIN=localhost\nEMAIL=you@example.org\n", "", Paths{});
    const Part settings = part(facts, "settings");
    EXPECT_EQ(settings.state, "faulty");
    EXPECT_THAT(settings.detail, HasSubstr("DOMAIN \"localhost\" has no dot"));
    EXPECT_EQ(settings.facts.at("faults").size(), 1U);
}

TEST(Status, WithoutSettingsThereIsNoAddress) {
    Facts facts = healthy();
    facts.settings = tl::unexpected(Error{ErrorCode::settings, "cannot open", "setup"});
    const Status status = assess(facts);
    EXPECT_EQ(status.address, "");
    EXPECT_EQ(part_of(status, "settings").state, "missing");
    EXPECT_THAT(to_text(status, Look::plain), Not(HasSubstr("https://")));
    EXPECT_TRUE(to_json(status).at("address").is_null());
}

TEST(Status, WithoutSystemdUnitsAreUnknown) {
    const tl::unexpected<Error> lost(Error{ErrorCode::internal, "cannot reach systemd", ""});
    Facts facts = healthy();
    for (auto* found : {&facts.target, &facts.application, &facts.install, &facts.provision, &facts.pool, &facts.guard,
                        &facts.nginx, &facts.render, &facts.renew, &facts.timer})
        *found = lost;
    facts.runs = lost;
    const Status status = assess(facts);
    EXPECT_EQ(part_of(status, "target").health, Health::unknown);
    EXPECT_EQ(part_of(status, "application").health, Health::unknown);
    EXPECT_TRUE(to_json(status).at("parts").at("renewal").at("last_run").is_null());
}

TEST(Status, AUnitThatIsNotThereIsNotWell) {
    Facts facts = healthy();
    facts.nginx->state.load = "not-found";
    EXPECT_EQ(part(facts, "web front").state, "not-found");
    EXPECT_THAT(unwell(facts), ElementsAre("web front"));
}

TEST(StatusText, HasARowForEachPartAndTheAddress) {
    const std::string text = to_text(assess(healthy()), Look::plain);
    EXPECT_THAT(text, testing::StartsWith("PART "));
    EXPECT_THAT(text, testing::EndsWith("\n\nhttps://comments.example"));
    EXPECT_EQ(std::ranges::count(text, '\n'), 9);
    EXPECT_THAT(text, AllOf(HasSubstr("SINCE"), HasSubstr("web front"), Not(HasSubstr("\x1b"))));
}

TEST(StatusJson, HasTheDocumentedMembers) {
    const auto json = to_json(assess(healthy()));
    EXPECT_EQ(json.at("healthy"), true);
    EXPECT_EQ(json.at("address"), "https://comments.example");
    std::vector<std::string> names;
    for (const auto& [name, entry] : json.at("parts").items()) {
        names.push_back(name);
        for (const char* member : {"health", "state", "since", "detail", "hint"})
            EXPECT_TRUE(entry.contains(member)) << name << " " << member;
    }
    EXPECT_THAT(names,
                ElementsAre("settings", "target", "application", "database", "web_front", "certificate", "renewal"));
    const auto& parts = json.at("parts");
    EXPECT_EQ(parts.at("target").at("enabled"), true);
    EXPECT_EQ(parts.at("application").at("unit"), "commento.service");
    EXPECT_EQ(parts.at("application").at("release"), "commentoplusplus-1.8.7");
    EXPECT_DOUBLE_EQ(parts.at("application").at("answer_ms"), 2.345);
    EXPECT_EQ(parts.at("database").at("size_bytes"), 8123456);
    EXPECT_EQ(parts.at("database").at("since"), "2025-11-22T16:00:00Z");
    EXPECT_EQ(parts.at("certificate").at("days_left"), 89);
    EXPECT_EQ(parts.at("certificate").at("names"), nlohmann::ordered_json({"comments.example"}));
    EXPECT_EQ(parts.at("certificate").at("not_after"), "2026-02-21T16:00:00Z");
    EXPECT_EQ(parts.at("renewal").at("last_result"), "success");
    EXPECT_EQ(parts.at("renewal").at("next_run"), "2025-11-24T16:09:00Z");
    EXPECT_TRUE(parts.at("renewal").at("hint").is_null());
}

TEST(StatusJson, HasNoMemberThatTheManualDoesNotName) {
    const std::string manual = read_file(std::filesystem::path(SOURCE_DIR) / "man/commentoctl.8.in").value();
    const auto json = to_json(assess(healthy()));
    for (const auto& [name, entry] : json.at("parts").items()) {
        EXPECT_THAT(manual, HasSubstr(name));
        for (const auto& [member, value] : entry.items())
            EXPECT_THAT(manual, HasSubstr(member)) << "in " << name;
    }
}

} // namespace
} // namespace commento
