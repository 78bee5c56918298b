#include "ctl/certificates_table.hpp"

#include "base/files.hpp"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <gmock/gmock.h>
#include <sstream>

namespace commento {
namespace {

using Json = nlohmann::ordered_json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// As commento-cert prints them (src/cert/view.cpp).
const Json kMain = Json::parse(R"({
    "name": "main", "state": "valid", "wanted_names": ["comments.example", "www.example", "a.example", "b.example"],
    "due": "the authority advises to renew", "folder": "/var/lib/commento-stack/tls/live",
    "names": ["comments.example", "www.example", "a.example"], "issuer": "Test CA", "serial": "01ab",
    "fingerprint": "f1f2", "key_type": "ecdsa-p256", "source": "acme", "directory": "https://ca.example/directory",
    "profile": "shortlived", "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-03-31T00:00:00Z",
    "days_left": 30, "renewal": "2026-02-28T12:34:56Z",
    "renewal_window": {"start": "2026-02-28T00:00:00Z", "end": "2026-03-01T00:00:00Z",
                       "chosen": "2026-02-28T12:34:56Z", "explanation": "https://ca.example/why"},
    "generation": "0002", "set_aside": null, "failures": [], "limit": null})");
const Json kMissing = Json::parse(R"({
    "name": "_.example.org", "state": "missing", "wanted_names": ["*.example.org"], "due": "there is no certificate",
    "folder": "/var/lib/commento-stack/tls/further/_.example.org/live", "set_aside": null,
    "failures": [{"directory": "https://ca.example/directory", "message": "refused\n  in detail",
                  "failed_at": "2026-01-01T00:00:00Z", "failures": 3, "next_try": "2026-01-01T00:20:00Z"},
                 {"directory": "https://other.example/directory", "message": "no answer",
                  "failed_at": "2026-01-01T00:00:00Z", "failures": 1, "next_try": null}]})");
const Json kFaulty = Json::parse(R"({"name": "shop", "state": "faulty settings", "due": "shop.conf:1: no\nmore"})");

Json changed(Json certificate, const char* name, const Json& value) {
    certificate[name] = value;
    return certificate;
}

class CertificatesTable : public testing::Test {
  protected:
    CertificatesTable() {
        ::setenv("TZ", "UTC0", 1); // NOLINT(concurrency-mt-unsafe)
        ::tzset();
    }
};

std::string row_of(const Json& certificate) {
    const std::string table = certificates_table(Json::array({certificate}), Look::plain);
    return table.substr(table.find('\n') + 1);
}

std::string facts_of(const Json& certificate) { return certificate_facts(Json::array({certificate}), Look::plain); }

/// The line of a fact, without its name and the blanks behind.
std::string fact(const Json& certificate, const std::string& name) {
    std::istringstream lines(facts_of(certificate));
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name + " "))
            return line.substr(line.find_first_not_of(' ', name.size()));
    }
    return {};
}

TEST_F(CertificatesTable, HasARowForEach) {
    const std::string table = certificates_table(Json::array({kMain, kMissing, kFaulty}), Look::plain);
    EXPECT_THAT(table, testing::MatchesRegex("NAME +NAMES +STATE +DAYS LEFT +KEY +ISSUER +RENEWAL +LAST RESULT\n"
                                             "main .*\n_.example.org .*\nshop .*"));
}

TEST_F(CertificatesTable, ShowsWhatIsInPlace) {
    EXPECT_THAT(row_of(kMain), testing::MatchesRegex("main +comments.example www.example \\+1 +valid +30 +ecdsa-p256 "
                                                     "+Test CA +2026-02-28 12:34 \\(ARI\\) +ok"));
    EXPECT_THAT(row_of(changed(kMain, "renewal_window", nullptr)), Not(HasSubstr("ARI")));
    EXPECT_THAT(row_of(changed(kMain, "source", "files")), Not(HasSubstr("2026")));
}

TEST_F(CertificatesTable, ShowsWhatWentWrong) {
    EXPECT_THAT(row_of(kMissing), testing::MatchesRegex("_.example.org +\\*.example.org +missing +- +- +- +- +failed 3 "
                                                        "times: refused; next try after 2026-01-01 00:20"));
    EXPECT_THAT(row_of(kFaulty), testing::MatchesRegex("shop +- +faulty settings +- +- +- +- +shop.conf:1: no"));
    EXPECT_THAT(row_of(changed(kMain, "set_aside", "0003")), HasSubstr("nginx did not serve generation 0003"));
    EXPECT_THAT(row_of(changed(kMissing, "failures", Json::array())), testing::EndsWith(" -"));
}

TEST_F(CertificatesTable, ColoursStatesForATerminal) {
    const auto coloured = [](const Json& certificate) {
        return certificates_table(Json::array({certificate}), Look::terminal);
    };
    EXPECT_THAT(coloured(kMain), HasSubstr("32mvalid"));
    EXPECT_THAT(coloured(changed(kMain, "state", "placeholder")), HasSubstr("33mplaceholder"));
    EXPECT_THAT(coloured(changed(kMain, "state", "expired")), HasSubstr("31mexpired"));
}

TEST_F(CertificatesTable, HandsNothingOnThatATerminalWouldObey) {
    EXPECT_THAT(row_of(changed(kMain, "issuer", "\x1b[2JCA")), Not(HasSubstr("\x1b")));
}

TEST_F(CertificatesTable, HasALineForEachFact) {
    EXPECT_EQ(fact(kMain, "names"), "comments.example www.example a.example");
    EXPECT_EQ(fact(kMain, "asked for"), "comments.example www.example a.example b.example");
    EXPECT_EQ(fact(kMain, "authority"), "https://ca.example/directory");
    EXPECT_EQ(fact(kMain, "valid until"), "2026-03-31 00:00");
    EXPECT_EQ(fact(kMain, "ARI window"), "2026-02-28 00:00 to 2026-03-01 00:00");
    EXPECT_EQ(fact(kMain, "ARI says"), "https://ca.example/why");
    EXPECT_EQ(fact(kMain, "due"), "yes: the authority advises to renew");
    EXPECT_EQ(fact(kMain, "key file"), "/var/lib/commento-stack/tls/live/privkey.pem");
    EXPECT_EQ(fact(changed(kMain, "due", nullptr), "due"), "no");
}

TEST_F(CertificatesTable, NamesEachFailureAndNoFileThatIsNotThere) {
    const std::string facts = facts_of(kMissing);
    EXPECT_THAT(facts, AllOf(HasSubstr("https://ca.example/directory failed 3 times: refused\n"),
                             HasSubstr("after 2026-01-01 00:20"),
                             HasSubstr("https://other.example/directory failed once: no answer"),
                             HasSubstr("when the timer elapses"), Not(HasSubstr(".pem"))));
}

TEST_F(CertificatesTable, ShowsAccounts) {
    const Json accounts = Json::array({{{"directory", "https://ca.example/directory"},
                                        {"url", "https://ca.example/acct/1"},
                                        {"email", "you@example.org"},
                                        {"terms", ""},
                                        {"key_type", "ecdsa-p256"}}});
    EXPECT_THAT(accounts_table(accounts, Look::plain),
                testing::MatchesRegex("DIRECTORY +ACCOUNT +EMAIL +KEY +TERMS *\nhttps://ca.example/directory "
                                      "+https://ca.example/acct/1 +you@example.org +ecdsa-p256 +-"));
}

TEST_F(CertificatesTable, SaysThatThereIsNoAccount) {
    EXPECT_THAT(accounts_table(Json::array(), Look::plain), HasSubstr("no account yet"));
}

TEST_F(CertificatesTable, IsMadeOfArraysOfObjectsOnly) {
    EXPECT_EQ(parse_objects("[{}]\n")->size(), 1U);
    for (const char* text : {"", "{}", "[1]", "[{}", "null"})
        EXPECT_EQ(parse_objects(text).error().code, ErrorCode::internal) << text;
}

TEST_F(CertificatesTable, HasNoMemberThatTheManualDoesNotName) {
    const std::string manual = read_file(std::filesystem::path(SOURCE_DIR) / "man/commento-cert.8.in").value();
    const auto expect_named = [&](const Json& object) {
        for (const auto& [name, value] : object.items())
            EXPECT_THAT(manual, testing::ContainsRegex("\n\\.BR? [^\n]*" + name));
    };
    expect_named(kMain);
    expect_named(kMain.at("renewal_window"));
    expect_named(kMissing.at("failures").front());
}

} // namespace
} // namespace commento
