#include "ctl/setup.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>
#include <sstream>
#include <sys/stat.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const Paths kPaths{"/r"};
constexpr const char* kShipped = "# The name.\nDOMAIN=\n# The address.\nEMAIL=\n# A port.\n#HTTP_PORT=80\n";
constexpr const char* kComplete = "# mine\nDOMAIN = 'comments.example'  # no comment\nEMAIL=you@example.org\n";

Result<Plan> plan(const std::string& settings, const std::vector<Wish>& wishes, const std::string& secrets = "") {
    return plan_setup({settings, secrets}, wishes, kPaths);
}

std::vector<Wish> names() {
    return {{"--domain", "DOMAIN", "comments.example"}, {"--email", "EMAIL", "you@example.org"}};
}

TEST(PlanSetup, FillsInAFreshFile) {
    const auto made = plan(kShipped, names());
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->files.settings, "# The name.\nDOMAIN=comments.example\n# The address.\nEMAIL=you@example.org\n"
                                    "# A port.\n#HTTP_PORT=80\n");
    EXPECT_THAT(made->changes, ElementsAre("DOMAIN: (not set) -> comments.example", //
                                           "EMAIL: (not set) -> you@example.org"));
}

TEST(PlanSetup, ChangesNothingWhereTheValuesAreSoAlready) {
    const std::string settings = "# mine\n DOMAIN = \"comments.example\"\nEMAIL='you@example.org'\n";
    std::vector<Wish> wishes = names();
    wishes.push_back({"--set", "HTTP_PORT", "80"});
    wishes.push_back({"--set", "HTTPS_PORT", ""});
    const auto made = plan(settings, wishes);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->files.settings, settings);
    EXPECT_THAT(made->changes, IsEmpty());
}

TEST(PlanSetup, AnEmptyValueBringsTheDefaultBack) {
    const std::string settings = "DOMAIN=comments.example\nEMAIL=you@example.org\nHTTP_PORT=8081\n";
    const auto made = plan(settings, {{"--set", "HTTP_PORT", ""}});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->files.settings, "DOMAIN=comments.example\nEMAIL=you@example.org\nHTTP_PORT=\n");
    EXPECT_THAT(made->changes, ElementsAre("HTTP_PORT: 8081 -> 80"));
}

TEST(PlanSetup, AnEmptyValueReplacesOneThatCanNotBeRight) {
    const auto made =
        plan("DOMAIN=comments.example\nEMAIL=you@example.org\nHTTP_PORT=web\n", {{"--set", "HTTP_PORT", ""}});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->files.settings, "DOMAIN=comments.example\nEMAIL=you@example.org\nHTTP_PORT=\n");
}

TEST(PlanSetup, PutsSecretsIntoTheirFileAndDoesNotShowThem) {
    auto wishes = names();
    wishes.push_back({"--set", "COMMENTO_SMTP_PASSWORD", "s3 cret"});
    const auto made = plan(kShipped, wishes, "# secrets\n#COMMENTO_SMTP_PASSWORD=\n");
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->files.secrets, "# secrets\nCOMMENTO_SMTP_PASSWORD=\"s3 cret\"\n");
    EXPECT_THAT(made->files.settings, Not(HasSubstr("s3 cret")));
    EXPECT_THAT(made->changes, testing::Contains("COMMENTO_SMTP_PASSWORD: changed"));
}

TEST(PlanSetup, NamesEveryFaultAtOnce) {
    const auto made = plan("EMAIL=nobody\nTLS_MODE=acm\n", {{"--domain", "DOMAIN", "localhost"},
                                                            {"--set", "DOMIAN", "x"},
                                                            {"--set", "HTTP_PORT", "web"},
                                                            {"--set", "COMMENTO_SMTP_PASSWORD", "s3cret\x01"}});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::settings);
    EXPECT_EQ(made.error().message,
              "--domain: DOMAIN \"localhost\" has no dot; write the full name, such as comments.example.org\n"
              "--set: DOMIAN is no key of commento-stack; did you mean DOMAIN?\n"
              "--set: HTTP_PORT \"web\" is no port; a whole number from 1 to 65535\n"
              "--set: COMMENTO_SMTP_PASSWORD holds a control character\n"
              "/r/etc/commento-stack/commento-stack.conf:1: EMAIL \"nobody\" is no e-mail address; it has the form "
              "you@example.org\n"
              "/r/etc/commento-stack/commento-stack.conf:2: TLS_MODE \"acm\" is not one of: acme, selfsigned, files");
    EXPECT_THAT(made.error().hint, HasSubstr("nothing is changed"));
}

TEST(PlanSetup, SaysWhatAFreshHostStillLacks) {
    const auto made = plan(kShipped, {{"--domain", "DOMAIN", "comments.example"}});
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, AllOf(HasSubstr("EMAIL is not set"), Not(HasSubstr("DOMAIN"))));
}

TEST(PlanSetup, RefusesToTakeAMandatoryValueAway) {
    const auto made = plan("DOMAIN=comments.example\nEMAIL=you@example.org\n", {{"--domain", "DOMAIN", ""}});
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, HasSubstr("DOMAIN is not set"));
}

TEST(PlanSetup, ChecksTheResultAsAWhole) {
    auto wishes = names();
    wishes.push_back({"--set", "HTTP_PORT", "443"});
    const auto made = plan(kShipped, wishes);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, HasSubstr("HTTPS_PORT is the same as HTTP_PORT"));
}

TEST(PlanSetup, RefusesTwoValuesForOneKey) {
    auto wishes = names();
    wishes.push_back({"--set", "DOMAIN", "other.example"});
    const auto made = plan(kShipped, wishes);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, HasSubstr("--set: DOMAIN is given twice"));
}

TEST(PlanSetup, MendsAFaultyValue) {
    const auto made = plan("DOMAIN=localhost\nEMAIL=you@example.org\n", {{"--domain", "DOMAIN", "comments.example"}});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_THAT(made->changes, ElementsAre("DOMAIN: localhost -> comments.example"));
}

TEST(PlanSetup, KeepsWhatFollowsAQuotedValueWhereItIsPartOfTheValue) {
    const auto made = plan(kComplete, {{"--set", "HTTP_PORT", "81"}});
    ASSERT_FALSE(made); // systemd reads that comment as part of the value, and so does this
    EXPECT_THAT(made.error().message, HasSubstr("DOMAIN \"comments.example# no comment\""));
}

TEST(ParseWish, TakesEverythingAfterTheFirstEqualsSign) {
    const auto wish = parse_wish("KEY=a=b c");
    ASSERT_TRUE(wish);
    EXPECT_EQ(wish->origin, "--set");
    EXPECT_EQ(wish->key, "KEY");
    EXPECT_EQ(wish->value, "a=b c");
    EXPECT_EQ(parse_wish("KEY=")->value, "");
}

TEST(ParseWish, RefusesAnythingElse) {
    for (const std::string text : {"KEY", "=value", ""})
        EXPECT_EQ(parse_wish(text).error().code, ErrorCode::settings) << text;
}

mode_t mode_of(const std::filesystem::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777U;
}

TEST(WritePlan, WritesBothFilesOnceAndKeepsSecretsToTheirGroup) {
    const Folder folder;
    const Paths paths{folder.path()};
    const Plan made{{"DOMAIN=a.example\n", "# secrets\n"}, {}};
    ASSERT_TRUE(write_plan(made, ::getegid(), paths).value());
    EXPECT_EQ(read_file(paths.settings()).value(), "DOMAIN=a.example\n");
    EXPECT_EQ(read_file(paths.secrets()).value(), "# secrets\n");
    EXPECT_EQ(mode_of(paths.settings()), 0644U);
    EXPECT_EQ(mode_of(paths.secrets()), 0640U);
    EXPECT_FALSE(write_plan(made, ::getegid(), paths).value());
}

TEST(SettingsFiles, BeginWithTheTemplates) {
    const Folder folder;
    const Paths paths{folder.path()};
    EXPECT_EQ(read_files_or_templates(paths).error().code, ErrorCode::storage);
    ASSERT_TRUE(make_folder(paths.settings_template().parent_path(), 0755));
    ASSERT_TRUE(write_file(paths.settings_template(), "# template\n", 0644));
    ASSERT_TRUE(write_file(paths.secrets_template(), "# secrets\n", 0644));
    EXPECT_EQ(read_files_or_templates(paths)->settings, "# template\n");
    ASSERT_TRUE(make_folder(paths.settings().parent_path(), 0755));
    ASSERT_TRUE(write_file(paths.settings(), "# mine\n", 0644));
    EXPECT_EQ(read_files_or_templates(paths)->settings, "# mine\n");
    EXPECT_EQ(read_files_or_templates(paths)->secrets, "# secrets\n");
}

struct Conversation {
    Result<std::vector<Wish>> wishes;
    std::string shown;
};

Conversation talk(const std::string& present, const std::string& typed) {
    std::istringstream input(typed);
    std::ostringstream output;
    auto wishes = ask_wishes(
        Settings::examine(present, "", kPaths).settings, [](const Wish&) { return Result<bool>(true); }, input, output);
    return {std::move(wishes), output.str()};
}

TEST(AskWishes, TakesTheAnswers) {
    const auto [wishes, shown] = talk("", "comments.example\n  you@example.org \n");
    ASSERT_TRUE(wishes);
    ASSERT_EQ(wishes->size(), 2U);
    EXPECT_EQ((*wishes)[0].key, "DOMAIN");
    EXPECT_EQ((*wishes)[0].value, "comments.example");
    EXPECT_EQ((*wishes)[1].value, "you@example.org");
    EXPECT_THAT(shown, AllOf(HasSubstr("Name of the comment server"), HasSubstr("DOMAIN: "), HasSubstr("EMAIL: ")));
}

TEST(AskWishes, AsksAgainWhereALookAtTheAnswerIsNotTakenForGood) {
    std::istringstream input("elsewhere.example\ncomments.example\nyou@example.org\n");
    std::ostringstream output;
    const auto wishes = ask_wishes(
        Settings::examine("", "", kPaths).settings,
        [](const Wish& answer) { return Result<bool>(answer.value != "elsewhere.example"); }, input, output);
    ASSERT_TRUE(wishes);
    EXPECT_EQ((*wishes)[0].value, "comments.example");
    EXPECT_EQ(wishes->size(), 2U);
}

TEST(AskWishes, SaysWhatAnAddressAgreesToBeforeItAsks) {
    const auto [wishes, shown] = talk("", "comments.example\nyou@example.org\n");
    const auto link = shown.find("https://letsencrypt.org/repository/");
    ASSERT_NE(link, std::string::npos);
    EXPECT_LT(shown.find("DOMAIN: "), link);
    EXPECT_LT(link, shown.find("EMAIL: "));
}

TEST(AskWishes, ProposesWhatIsThere) {
    const auto [wishes, shown] = talk("DOMAIN=old.example\nEMAIL=old@example.org\n", "\nnew@example.org\n");
    ASSERT_TRUE(wishes);
    EXPECT_EQ((*wishes)[0].value, "old.example");
    EXPECT_EQ((*wishes)[1].value, "new@example.org");
    EXPECT_THAT(shown, AllOf(HasSubstr("DOMAIN [old.example]: "), HasSubstr("EMAIL [old@example.org]: ")));
}

TEST(AskWishes, AsksAgainUntilTheAnswerIsRight) {
    const auto [wishes, shown] = talk("", "\nlocalhost\ncomments.example\nyou@example.org\n");
    ASSERT_TRUE(wishes);
    EXPECT_EQ((*wishes)[0].value, "comments.example");
    EXPECT_THAT(shown, AllOf(HasSubstr("DOMAIN is needed"), HasSubstr("\"localhost\" has no dot")));
}

TEST(AskWishes, EndsWithTheInput) {
    const auto [wishes, shown] = talk("", "comments.example\n");
    ASSERT_FALSE(wishes);
    EXPECT_EQ(wishes.error().code, ErrorCode::settings);
    EXPECT_THAT(wishes.error().message, HasSubstr("nothing is changed"));
}

TEST(AskConsent, EnterMeansYes) {
    const auto ask = [](const std::string& typed) {
        std::istringstream input(typed);
        std::ostringstream output;
        return ask_consent("Start?", input, output);
    };
    EXPECT_TRUE(ask("\n").value());
    EXPECT_TRUE(ask("yes\n").value());
    EXPECT_FALSE(ask("n\n").value());
    EXPECT_FALSE(ask("perhaps\nno\n").value());
    EXPECT_FALSE(ask(""));
}

} // namespace
} // namespace commento
