#include "config/settings.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <cstdlib>
#include <gmock/gmock.h>
#include <unistd.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr const char* kLeast = "DOMAIN=comments.example.org\nEMAIL=you@example.org\n";
const Paths kPaths{"/r"};

Examined examine(const std::string& settings, const std::string& secrets = "") {
    return Settings::examine(settings, secrets, kPaths);
}

std::vector<std::string> faults_of(const std::string& settings, const std::string& secrets = "") {
    std::vector<std::string> lines;
    for (const auto& fault : examine(settings, secrets).faults)
        lines.push_back(to_string(fault));
    return lines;
}

class SettingsOnDisk : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(make_folder(paths().settings().parent_path(), 0755)); }

    Paths paths() const { return {folder_.path()}; }
    void write(const std::string& settings, const std::string& secrets) const {
        ASSERT_TRUE(write_file(paths().settings(), settings, 0644));
        ASSERT_TRUE(write_file(paths().secrets(), secrets, 0640));
    }

  private:
    Folder folder_;
};

TEST_F(SettingsOnDisk, GiveEachKeyAValueAndAnOrigin) {
    write(std::string("# head\n") + kLeast + "HTTP_PORT=8081\n", "COMMENTO_SMTP_PASSWORD=s3cret\n");
    const auto settings = Settings::load(paths());
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->text("DOMAIN"), "comments.example.org");
    EXPECT_EQ(settings->value("DOMAIN").origin, paths().settings().string() + ":2");
    EXPECT_EQ(settings->number("HTTP_PORT"), 8081);
    EXPECT_EQ(settings->text("COMMENTO_SMTP_PASSWORD"), "s3cret");
    EXPECT_EQ(settings->value("COMMENTO_SMTP_PASSWORD").origin, paths().secrets().string() + ":1");
    EXPECT_EQ(settings->text("TLS_MODE"), "acme");
    EXPECT_EQ(settings->value("TLS_MODE").origin, "default");
    EXPECT_FALSE(settings->flag("TEST"));
}

TEST_F(SettingsOnDisk, NameEveryFaultOfBothFilesAtOnce) {
    write("DOMAIN=localhost\nHTTP_PORT=x\nDOMIAN=a.example\n", "COMMENTO_GITHUB_SECRT=1\n");
    const auto settings = Settings::load(paths());
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().code, ErrorCode::settings);
    const std::string file = paths().settings().string();
    EXPECT_THAT(settings.error().message,
                AllOf(HasSubstr(file + ":1: DOMAIN \"localhost\" has no dot"), HasSubstr(file + ":2: HTTP_PORT \"x\""),
                      HasSubstr(file + ":3: DOMIAN is no key of commento-stack; did you mean DOMAIN?"),
                      HasSubstr(paths().secrets().string() + ":1: COMMENTO_GITHUB_SECRT"),
                      HasSubstr(file + ": EMAIL is not set")));
    EXPECT_THAT(settings.error().hint, AllOf(HasSubstr(file), HasSubstr("systemctl restart commento.target")));
}

TEST_F(SettingsOnDisk, SayThatTheirFileIsMissing) {
    const auto settings = Settings::load(paths());
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().code, ErrorCode::settings);
    EXPECT_THAT(settings.error().hint, HasSubstr("commentoctl setup"));
}

TEST_F(SettingsOnDisk, LeaveOutSecretsThatTheCallerMayNotRead) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "needs a file of another user";
    write(kLeast, "COMMENTO_SMTP_PASSWORD=s3cret\n");
    std::filesystem::permissions(paths().root, std::filesystem::perms(0755));
    std::filesystem::permissions(paths().secrets(), std::filesystem::perms(0600)); // the test keeps root's group
    ASSERT_EQ(::seteuid(65534), 0);
    const auto settings = Settings::load(paths());
    ASSERT_EQ(::seteuid(0), 0);
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->text("COMMENTO_SMTP_PASSWORD"), "");
}

constexpr const char* kElsewhere = "DATABASE_URL=postgresql://comments@db.example.org/blog\n";

/// What systemd hands to a unit.
class Credentials {
  public:
    Credentials() { ::setenv("CREDENTIALS_DIRECTORY", folder_.path().c_str(), 1); }
    ~Credentials() { ::unsetenv("CREDENTIALS_DIRECTORY"); }
    Credentials(const Credentials&) = delete;
    Credentials& operator=(const Credentials&) = delete;

    void add(const std::string& name, const std::string& text) const {
        ASSERT_TRUE(write_file(folder_ / name, text, 0400));
    }

  private:
    Folder folder_;
};

TEST_F(SettingsOnDisk, TakeSecretsThatTheCallerMayNotReadFromTheUnitsCredentials) {
    ASSERT_TRUE(write_file(paths().settings(), std::string(kLeast) + kElsewhere, 0644));
    const Credentials credentials;
    credentials.add("secrets.conf", "DATABASE_PASSWORD=s3cret\nCOMMENTO_SMTP_PASSWORD=other\n");
    const auto settings = Settings::load(paths());
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->text("DATABASE_PASSWORD"), "s3cret");
    EXPECT_EQ(settings->text("COMMENTO_SMTP_PASSWORD"), "other");
}

TEST_F(SettingsOnDisk, TakeThePasswordOfTheDatabaseFromACredentialBeforeTheSecretsFile) {
    write(std::string(kLeast) + kElsewhere, "DATABASE_PASSWORD=former\n");
    const Credentials credentials;
    credentials.add("commento-database-password", "it's = s3cret \n");
    const auto settings = Settings::load(paths());
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->text("DATABASE_PASSWORD"), "it's = s3cret ") << "only the line feed at the end is none of it";
    EXPECT_EQ(settings->value("DATABASE_PASSWORD").origin, "systemd credential");
}

TEST_F(SettingsOnDisk, TakeNoCredentialThatIsNotThere) {
    write(std::string(kLeast) + kElsewhere, "DATABASE_PASSWORD=s3cret\n");
    const Credentials credentials;
    const auto settings = Settings::load(paths());
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->text("DATABASE_PASSWORD"), "s3cret");
}

TEST_F(SettingsOnDisk, RefuseACredentialOfSeveralLinesAndDoNotShowIt) {
    write(std::string(kLeast) + kElsewhere, "");
    const Credentials credentials;
    credentials.add("commento-database-password", "s3cret\n[pgbouncer]\n");
    const auto settings = Settings::load(paths());
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().code, ErrorCode::settings);
    EXPECT_THAT(settings.error().message, testing::Not(HasSubstr("s3cret")));
}

TEST(Settings, AnEmptyValueIsTheDefault) {
    const auto examined = examine(std::string(kLeast) + "HTTP_PORT=\n");
    EXPECT_THAT(examined.faults, IsEmpty());
    EXPECT_EQ(examined.settings.number("HTTP_PORT"), 80);
    EXPECT_EQ(examined.settings.value("HTTP_PORT").origin, "default");
}

TEST(Settings, AKeyIsSetOnce) {
    EXPECT_THAT(faults_of(std::string(kLeast) + "EMAIL=me@example.org\n"),
                ElementsAre("/r/etc/commento-stack/commento-stack.conf:3: EMAIL is set already in line 2; "
                            "keep one of the two"));
}

TEST(Settings, ASecretIsNeverShownAndStandsInTheFileForSecretsOnly) {
    EXPECT_THAT(
        faults_of(std::string(kLeast) + "COMMENTO_SMTP_PASSWORD=s3cret\n"),
        ElementsAre(AllOf(HasSubstr("is a secret"), HasSubstr("secrets.conf"), testing::Not(HasSubstr("s3cret")))));
    EXPECT_THAT(faults_of(kLeast, "COMMENTO_SMTP_PASSWORD=\"s3cret\x01\"\n"),
                ElementsAre(AllOf(HasSubstr("control character"), testing::Not(HasSubstr("s3cret")))));
}

TEST(Settings, WhatIsNoSecretStandsWhereEveryHelperCanReadIt) {
    EXPECT_THAT(faults_of(kLeast, "HTTP_PORT=81\n"),
                ElementsAre(AllOf(HasSubstr("secrets.conf:1: HTTP_PORT is no secret"), HasSubstr("move it to"))));
}

TEST(Settings, AFaultDoesNotPutControlCharactersOnTheTerminal) {
    EXPECT_THAT(faults_of(std::string(kLeast) + "COMMENTO_SMTP_HOST=\"\x1b[2J\"\n"),
                ElementsAre(testing::EndsWith("COMMENTO_SMTP_HOST holds a control character")));
}

TEST(Settings, FilesNeedBothNames) {
    EXPECT_THAT(faults_of(std::string(kLeast) + "TLS_MODE=files\nTLS_KEY_FILE=/k\n"),
                ElementsAre(HasSubstr("TLS_CERTIFICATE_FILE is not set")));
}

TEST(Settings, EachPortIsUsedOnce) {
    EXPECT_THAT(faults_of(std::string(kLeast) + "HTTP_PORT=443\n"), ElementsAre(HasSubstr("same as HTTP_PORT")));
    EXPECT_THAT(faults_of(std::string(kLeast) + "COMMENTO_PORT=80\n"), ElementsAre(HasSubstr("same as HTTP_PORT")));
}

TEST(Settings, AnotherReleaseNeedsItsOwnSum) {
    const std::string other = std::string(kLeast) + "APP_URL=https://a.example/r.tar.gz\n";
    EXPECT_THAT(faults_of(other), ElementsAre(HasSubstr("APP_SHA256 is not set")));
    EXPECT_THAT(faults_of(other + "APP_SHA256=" + std::string(64, '0') + "\n"), IsEmpty());
    EXPECT_THAT(faults_of(other + "APP_ARCHIVE=/r.tar.gz\n"), IsEmpty());
}

TEST(Settings, APasswordInTheAddressOfTheDatabaseIsRefusedAndNotShown) {
    for (const std::string url : {"postgresql://comments:s3cret@db.example.org/blog",
                                  "postgresql://comments@db.example.org/blog?password=s3cret"})
        EXPECT_THAT(
            faults_of(std::string(kLeast) + "DATABASE_URL=" + url + "\n"),
            ElementsAre(AllOf(HasSubstr("DATABASE_URL holds a password"), HasSubstr("DATABASE_PASSWORD"),
                              HasSubstr("/r/etc/commento-stack/secrets.conf"), testing::Not(HasSubstr("s3cret")))));
}

TEST(Settings, AnAddressOfADatabaseIsNotShownWhateverIsWrongWithIt) {
    EXPECT_THAT(faults_of(std::string(kLeast) + "DATABASE_URL=mysql://u:s3cret@db.example.org/blog\n"),
                ElementsAre(AllOf(HasSubstr("conf:3: DATABASE_URL is no address of a PostgreSQL server"),
                                  testing::Not(HasSubstr("s3cret")))));
    EXPECT_THAT(
        faults_of(std::string(kLeast) + kElsewhere, "DATABASE_ADMIN_URL=postgresql://u:s3cret@db.example.org\n"),
        ElementsAre(AllOf(HasSubstr("secrets.conf:1: DATABASE_ADMIN_URL names no database"),
                          testing::Not(HasSubstr("s3cret")))));
}

TEST(Settings, ThereIsOneDatabaseHereOrElsewhere) {
    EXPECT_THAT(faults_of(std::string(kLeast) + kElsewhere), IsEmpty());
    EXPECT_THAT(faults_of(std::string(kLeast) + kElsewhere + "DATABASE_PORT=5433\n"),
                ElementsAre(HasSubstr("DATABASE_PORT is the local cluster's")));
}

TEST(Settings, WhoMayMakeRolesElsewhereNeedsAServerElsewhere) {
    const std::string admin = "DATABASE_ADMIN_URL=postgresql://postgres:t0p@db.example.org/postgres\n";
    EXPECT_THAT(faults_of(std::string(kLeast) + kElsewhere, admin), IsEmpty());
    EXPECT_THAT(faults_of(kLeast, admin),
                ElementsAre(AllOf(HasSubstr("DATABASE_URL is not set"), HasSubstr("DATABASE_ADMIN_URL needs it"),
                                  testing::Not(HasSubstr("t0p")))));
}

TEST(Settings, AUserOfAMailServerNeedsTheServerAndAPasswordTheUser) {
    const std::string server = "NOTIFY_SMTP_URL=smtp://mail.example.org\n";
    EXPECT_THAT(faults_of(kLeast + server + "NOTIFY_SMTP_USER=u\n", "NOTIFY_SMTP_PASSWORD=s3cret\n"), IsEmpty());
    EXPECT_THAT(faults_of(std::string(kLeast) + "NOTIFY_SMTP_USER=u\n"),
                ElementsAre(HasSubstr("NOTIFY_SMTP_URL is not set")));
    EXPECT_THAT(faults_of(kLeast + server, "NOTIFY_SMTP_PASSWORD=s3cret\n"),
                ElementsAre(AllOf(HasSubstr("NOTIFY_SMTP_USER is not set"), testing::Not(HasSubstr("s3cret")))));
}

TEST(Settings, ThePasswordOfTheDatabaseIsASecret) {
    EXPECT_THAT(faults_of(std::string(kLeast) + kElsewhere + "DATABASE_PASSWORD=s3cret\n"),
                ElementsAre(AllOf(HasSubstr("is a secret"), testing::Not(HasSubstr("s3cret")))));
}

TEST(Settings, NothingOfTheDatabaseGoesToTheApplication) {
    const auto examined = examine(std::string(kLeast) + kElsewhere, "DATABASE_PASSWORD=s3cret\n");
    for (const auto& [key, value] : examined.settings.application_settings())
        EXPECT_THAT(key, testing::StartsWith("COMMENTO_"));
}

TEST(Settings, FaultyOnesCanBeLookedAt) {
    const auto examined = examine("DOMAIN=localhost\n");
    EXPECT_EQ(examined.faults.size(), 2U);
    EXPECT_EQ(examined.settings.text("DOMAIN"), "localhost");
}

TEST(Settings, TheBasePathIsThatOfTheOrigin) {
    const auto base_of = [](const std::string& origin) {
        return examine(std::string(kLeast) + "COMMENTO_ORIGIN=" + origin + "\n").settings.base_path();
    };
    EXPECT_EQ(examine(kLeast).settings.base_path(), "");
    EXPECT_EQ(base_of("https://example.org/"), "");
    EXPECT_EQ(base_of("https://example.org/talk/here/"), "/talk/here");
    EXPECT_EQ(base_of("https://example.org/talk?a=b"), "/talk");
    EXPECT_EQ(base_of("https://example.org?a=/b"), "") << "a slash in the query begins no path";
}

TEST(Settings, ReadersAreAlwaysSentToHttps) {
    const auto address_of = [](const std::string& more) {
        return examine(std::string(kLeast) + more).settings.https_address();
    };
    EXPECT_EQ(address_of(""), "https://comments.example.org");
    EXPECT_EQ(address_of("COMMENTO_ORIGIN=https://example.org:8443/talk\n"), "https://example.org:8443");
    EXPECT_EQ(address_of("COMMENTO_ORIGIN=http://comments.example.org/talk\nHTTPS_PORT=8443\n"),
              "https://comments.example.org:8443");
}

TEST(Settings, TheProxyProtocolNeedsToKnowWhoMaySpeakIt) {
    EXPECT_EQ(examine(std::string(kLeast) + "PROXY_PROTOCOL=true\n").faults.size(), 1U);
    EXPECT_TRUE(examine(std::string(kLeast) + "PROXY_PROTOCOL=true\nTRUSTED_PROXIES=192.0.2.1\n").faults.empty());
}

TEST(Settings, TheOriginIsBuiltFromDomainAndPort) {
    EXPECT_EQ(examine(kLeast).settings.origin(), "https://comments.example.org");
    EXPECT_EQ(examine(std::string(kLeast) + "HTTPS_PORT=8443\n").settings.origin(),
              "https://comments.example.org:8443");
    EXPECT_EQ(examine(std::string(kLeast) + "COMMENTO_ORIGIN=https://c.example/\n").settings.origin(),
              "https://c.example");
}

TEST(Settings, TheAuthorityIsLetsEncryptUnlessAnotherIsNamed) {
    EXPECT_THAT(examine(kLeast).settings.acme_directory(), HasSubstr("//acme-v02.api.letsencrypt.org/"));
    EXPECT_THAT(examine(std::string(kLeast) + "TEST=true\n").settings.acme_directory(),
                HasSubstr("//acme-staging-v02."));
    EXPECT_EQ(
        examine(std::string(kLeast) + "TEST=true\nACME_DIRECTORY=https://ca.example/d\n").settings.acme_directory(),
        "https://ca.example/d");
}

TEST(Settings, TheApplicationGetsWhatIsSetButNoSecret) {
    const auto examined = examine(std::string(kLeast) + "COMMENTO_SMTP_HOST=mail.example\n", //
                                  "COMMENTO_SMTP_PASSWORD=s3cret\n");
    EXPECT_THAT(examined.settings.application_settings(),
                UnorderedElementsAre(Pair("COMMENTO_PORT", "8080"), Pair("COMMENTO_FORBID_NEW_OWNERS", "false"),
                                     Pair("COMMENTO_MAX_IDLE_PG_CONNECTIONS", "50"),
                                     Pair("COMMENTO_SMTP_HOST", "mail.example")));
}

TEST(Settings, NamesThatLeadToTheSiteAreOnItsCertificateAndNotItsOwn) {
    const Settings settings =
        examine(std::string(kLeast) + "TLS_NAMES=www.example.org\nREDIRECT_NAMES=\"Old.example.org 192.0.2.1\"\n")
            .settings;
    EXPECT_THAT(settings.site_names(), testing::ElementsAre("comments.example.org", "www.example.org"));
    EXPECT_THAT(settings.redirect_names(), testing::ElementsAre("old.example.org", "192.0.2.1"));
    EXPECT_THAT(settings.certificate_names(),
                testing::ElementsAre("comments.example.org", "www.example.org", "old.example.org", "192.0.2.1"));
}

TEST(Settings, ANameCanNotBothBeTheSitesAndLeadThere) {
    EXPECT_THAT(
        faults_of(std::string(kLeast) + "TLS_NAMES=a.example.org\nREDIRECT_NAMES=\"b.example.org A.example.org\"\n"),
        testing::ElementsAre(testing::HasSubstr("REDIRECT_NAMES holds a.example.org")));
    EXPECT_THAT(faults_of(std::string(kLeast) + "REDIRECT_NAMES=comments.example.org\n"), testing::SizeIs(1));
}

} // namespace
} // namespace commento
