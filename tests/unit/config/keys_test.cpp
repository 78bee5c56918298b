#include "config/keys.hpp"

#include <gmock/gmock.h>
#include <set>
#include <string>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string problem(std::string_view key, std::string_view value) { return problem_with(*find_key(key), value); }

TEST(Keys, HaveOneNameEachAndADefaultThatIsValid) {
    std::set<std::string_view> names;
    for (const auto& key : all_keys()) {
        EXPECT_TRUE(names.insert(key.name).second) << key.name;
        EXPECT_THAT(key.help, Not(IsEmpty())) << key.name;
        EXPECT_EQ(key.choices.empty(), key.type != ValueType::choice) << key.name;
        if (!key.standard.empty()) {
            EXPECT_THAT(problem_with(key, key.standard), IsEmpty()) << key.name;
        }
        if (key.secrecy == Secrecy::secret || key.presence == Presence::mandatory) {
            EXPECT_THAT(key.standard, IsEmpty()) << key.name;
        }
    }
}

TEST(Keys, AreFoundByNameOnly) {
    EXPECT_EQ(find_key("DOMAIN")->type, ValueType::hostname);
    EXPECT_EQ(find_key("domain"), nullptr);
    EXPECT_EQ(find_key(""), nullptr);
}

TEST(Keys, TheNearestNameIsFoundForASlipOfTheHand) {
    EXPECT_EQ(nearest_key("DOMIAN"), "DOMAIN");
    EXPECT_EQ(nearest_key("domain"), "DOMAIN");
    EXPECT_EQ(nearest_key("COMMENTO_SMPT_HOST"), "COMMENTO_SMTP_HOST");
    EXPECT_EQ(nearest_key("HTTP_PROT"), "HTTP_PORT");
    EXPECT_EQ(nearest_key("SOMETHING_ELSE"), "");
    EXPECT_EQ(nearest_key(""), "");
}

TEST(Keys, TakeAddressesSeparatedByCommasOrSpaces) {
    EXPECT_THAT(emails_in("a@example.org,b@example.org, c@example.org d@example.org"),
                testing::ElementsAre("a@example.org", "b@example.org", "c@example.org", "d@example.org"));
    EXPECT_EQ(problem("NOTIFY_EMAIL", "a@example.org, b@example.org"), "");
    EXPECT_THAT(problem("NOTIFY_EMAIL", "a@example.org, nobody"), HasSubstr("\"nobody\", which is no e-mail address"));
    EXPECT_THAT(problem("NOTIFY_EMAIL", " , "), HasSubstr("holds no address"));
}

TEST(Keys, TakeAMailServerWithoutPathAndPassword) {
    for (const char* good : {"smtp://mail.example.org", "smtp://mail.example.org:25", "smtps://[::1]:465"})
        EXPECT_EQ(problem("NOTIFY_SMTP_URL", good), "") << good;
    for (const char* bad : {"mail.example.org", "http://mail.example.org", "smtp://user:password@mail.example.org",
                            "smtp://", "smtp://mail.example.org/x", "smtp://mail.example.org:0"})
        EXPECT_THAT(problem("NOTIFY_SMTP_URL", bad), HasSubstr("smtp://mail.example.org:587")) << bad;
}

struct Case {
    std::string key;
    std::string value;
    std::string problem; ///< a part of it; empty: none
};

class ProblemWith : public testing::TestWithParam<Case> {};

TEST_P(ProblemWith, IsNamed) {
    const auto& [key, value, expected] = GetParam();
    if (expected.empty()) {
        EXPECT_EQ(problem(key, value), "") << value;
    } else {
        EXPECT_THAT(problem(key, value), HasSubstr(expected)) << value;
    }
}

INSTANTIATE_TEST_SUITE_P(
    HostName, ProblemWith,
    testing::Values(Case{"DOMAIN", "comments.example.org", ""}, Case{"DOMAIN", "xn--bcher-kva.example", ""},
                    Case{"DOMAIN", "A-1.Example.ORG", ""}, Case{"DOMAIN", "https://example.org", "is an address"},
                    Case{"DOMAIN", "example.org/x", "is an address"}, Case{"DOMAIN", "192.0.2.1", "is an IP address"},
                    Case{"DOMAIN", "2001:db8::1", "is an IP address"}, Case{"DOMAIN", "example.org:8443", "has a port"},
                    Case{"DOMAIN", "bücher.example", "xn--"}, Case{"DOMAIN", "localhost", "has no dot"},
                    Case{"DOMAIN", "-a.example", "is no host name"}, Case{"DOMAIN", "a..example", "is no host name"},
                    Case{"DOMAIN", "example.org.", "is no host name"},
                    Case{"DOMAIN", "*.example.org", "is no host name"},
                    Case{"DOMAIN", "a_b.example", "is no host name"}, Case{"DOMAIN", "a b.example", "is no host name"},
                    Case{"DOMAIN", std::string(64, 'a') + ".example", "is no host name"},
                    Case{"DOMAIN", "a.example\n", "control character"}));
INSTANTIATE_TEST_SUITE_P(Email, ProblemWith,
                         testing::Values(Case{"EMAIL", "you+tag@example.org", ""},
                                         Case{"EMAIL", "you", "is no e-mail address"},
                                         Case{"EMAIL", "@example.org", "is no e-mail address"},
                                         Case{"EMAIL", "you@localhost", "is no e-mail address"},
                                         Case{"EMAIL", "a@example.org,b@example.org", "is no e-mail address"},
                                         Case{"EMAIL", "You <you@example.org>", "is no e-mail address"}));
INSTANTIATE_TEST_SUITE_P(Networks, ProblemWith,
                         testing::Values(Case{"TRUSTED_PROXIES", "192.0.2.1 2001:db8::/32 10.0.0.0/8", ""},
                                         Case{"TRUSTED_PROXIES", " 192.0.2.1  ::1 ", ""},
                                         Case{"TRUSTED_PROXIES", "192.0.2.0/33", "\"192.0.2.0/33\", which is no IP"},
                                         Case{"TRUSTED_PROXIES", "::1/129", "no IP address"},
                                         Case{"TRUSTED_PROXIES", "192.0.2.0/", "no IP address"},
                                         Case{"TRUSTED_PROXIES", "192.0.2.0/-1", "no IP address"},
                                         Case{"TRUSTED_PROXIES", "proxy.example.org", "no IP address"},
                                         Case{"HEALTHZ_ALLOW", "1.2.3.4; deny all", "no IP address"}));
INSTANTIATE_TEST_SUITE_P(Port, ProblemWith,
                         testing::Values(Case{"HTTP_PORT", "1", ""}, Case{"HTTP_PORT", "65535", ""},
                                         Case{"HTTP_PORT", "0", "is no port"}, Case{"HTTP_PORT", "65536", "is no port"},
                                         Case{"HTTP_PORT", "080", "is no port"}, Case{"HTTP_PORT", "+80", "is no port"},
                                         Case{"HTTP_PORT", "-1", "is no port"}, Case{"HTTP_PORT", "80x", "is no port"},
                                         Case{"HTTP_PORT", "99999999999999999999", "is no port"}));
INSTANTIATE_TEST_SUITE_P(
    Address, ProblemWith,
    testing::Values(Case{"ACME_DIRECTORY", "https://ca.example:14000/dir", ""},
                    Case{"ACME_DIRECTORY", "http://ca.example/dir", "begins with https://"},
                    Case{"COMMENTO_ORIGIN", "http://localhost:8080", ""},
                    Case{"COMMENTO_ORIGIN", "https://[2001:db8::1]:8443/x", ""},
                    Case{"COMMENTO_ORIGIN", "https://192.0.2.1", ""},
                    Case{"COMMENTO_ORIGIN", "https://a.example?x=1", ""}, Case{"COMMENTO_ORIGIN", "ftp://a", "begins"},
                    Case{"COMMENTO_ORIGIN", "https://", "host name"}, Case{"COMMENTO_ORIGIN", "https://:443", "host"},
                    Case{"COMMENTO_ORIGIN", "https:///x", "host"}, Case{"COMMENTO_ORIGIN", "https://[::1", "host"},
                    Case{"COMMENTO_ORIGIN", "https://a.example:0", "host"},
                    Case{"COMMENTO_ORIGIN", "https://u:p@a.example", "no user"},
                    Case{"COMMENTO_ORIGIN", "https://a.example/a b", "space"},
                    Case{"COMMENTO_ORIGIN", "https://a.example/\"", "quote"}));
INSTANTIATE_TEST_SUITE_P(
    Others, ProblemWith,
    testing::Values(
        Case{"TEST", "true", ""}, Case{"TEST", "yes", "is not one of: true, false"}, Case{"TLS_MODE", "selfsigned", ""},
        Case{"TLS_MODE", "acm", "acme, selfsigned, files"}, Case{"TLS_KEY_TYPE", "rsa-1024", "is not one of"},
        Case{"TLS_KEY_FILE", "/etc/key.pem", ""}, Case{"TLS_KEY_FILE", "key.pem", "is no absolute path"},
        Case{"APP_SHA256", std::string(64, 'A'), ""}, Case{"APP_SHA256", std::string(63, 'a'), "SHA-256"},
        Case{"APP_SHA256", std::string(63, 'a') + "g", "SHA-256"}, Case{"COMMENTO_MAX_IDLE_PG_CONNECTIONS", "0", ""},
        Case{"COMMENTO_MAX_IDLE_PG_CONNECTIONS", "-1", "whole number"},
        Case{"COMMENTO_SMTP_PASSWORD", "pässwörd \"'\\", ""}, Case{"COMMENTO_SMTP_PASSWORD", "p\xe4ss", "UTF-8"},
        Case{"COMMENTO_SMTP_PASSWORD", "\xc3", "UTF-8"}, Case{"COMMENTO_SMTP_PASSWORD", "a\tb", "control character"}));

} // namespace
} // namespace commento
