#include "ctl/further.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Further : public testing::Test {
  protected:
    Further() {
        EXPECT_TRUE(make_folder(paths_.settings().parent_path(), 0755));
        EXPECT_TRUE(write_file(paths_.settings(), "DOMAIN=comments.example\nEMAIL=you@example.org\n", 0644));
    }
    Result<FurtherFile> plan(const std::vector<std::string>& names, const std::vector<Wish>& wishes = {}) const {
        return plan_further(names, wishes, paths_);
    }
    std::string message(const std::vector<std::string>& names, const std::vector<Wish>& wishes = {}) const {
        const auto made = plan(names, wishes);
        EXPECT_FALSE(made);
        EXPECT_EQ(made.error().code, ErrorCode::settings);
        EXPECT_THAT(made.error().hint, HasSubstr("nothing is written"));
        return made.error().message;
    }
    fs::path file(const std::string& name) const { return paths_.certificates() / name; }
    void store(const std::string& name) const { ASSERT_TRUE(make_folder(paths_.tls_further() / name, 0755)); }

    Folder folder_;
    Paths paths_{folder_.path()};
};

Wish by_set(const std::string& key, const std::string& value) { return {"--set", key, value}; }

const std::vector<Wish> kByDns{by_set("ACME_CHALLENGE", "dns-01"), by_set("ACME_DNS_HOOK", "/usr/local/bin/hook")};

TEST_F(Further, AsksForTheNamesWithTheKeysBeside) {
    const auto made = plan({"Shop.Example.org", "www.example.org", "192.0.2.1", "shop.example.org"},
                           {by_set("TLS_KEY_TYPE", "rsa-2048"), by_set("ACME_PREFERRED_CHAIN", "Root $1 \"A\"")});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->name, "shop.example.org");
    EXPECT_EQ(made->path, file("shop.example.org.conf"));
    EXPECT_EQ(made->text, "DOMAIN=shop.example.org\nTLS_NAMES=\"www.example.org 192.0.2.1\"\nTLS_KEY_TYPE=rsa-2048\n"
                          "ACME_PREFERRED_CHAIN=\"Root \\$1 \\\"A\\\"\"\n");
}

TEST_F(Further, IsNamedByItsFirstNameAsAFileCanBe) {
    EXPECT_EQ(plan({"*.example.org", "example.org"}, kByDns)->name, "_.example.org");
    EXPECT_EQ(plan({"2001:DB8::1"})->name, "2001-db8--1");
    EXPECT_EQ(plan({"::1"})->name, "0--1");
}

TEST_F(Further, CanDoWithoutAHostName) {
    const auto made = plan({"*.example.org"}, kByDns);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_THAT(made->text, testing::StartsWith("TLS_NAMES=\"*.example.org\"\nACME_CHALLENGE=dns-01\n"));
    EXPECT_THAT(plan({"*.example.org", "example.org"}, kByDns)->text,
                testing::StartsWith("DOMAIN=example.org\nTLS_NAMES=\"*.example.org\"\n"));
}

TEST_F(Further, NamesEveryWrongWordAtOnce) {
    EXPECT_EQ(message({"localhost", "", "a.example b.example", "*."},
                      {by_set("DOMAIN", "x.example"), by_set("HTTP_PORT", "81"), by_set("EMIAL", "x"),
                       by_set("TEST", "yes"), by_set("EMAIL", "a@b.example"), by_set("EMAIL", "c@d.example")}),
              "NAME: \"localhost\" has no dot; write the full name, such as comments.example.org\n"
              "NAME: \"\" is no name\n"
              "NAME: \"a.example b.example\" is no host name; parts of letters, digits and hyphens, joined by dots, "
              "such as comments.example.org\n"
              "NAME: \"*.\" is no name\n"
              "--set: DOMAIN is not for --set: give the names themselves\n"
              "--set: HTTP_PORT is no key of a single certificate\n"
              "--set: EMIAL is no key of commento-stack; did you mean EMAIL?\n"
              "--set: TEST \"yes\" is not one of: true, false\n"
              "--set: EMAIL is given twice; keep one of the two");
}

TEST_F(Further, RefusesWhatDoesNotFitTogether) {
    EXPECT_THAT(message({"*.example.org"}),
                AllOf(HasSubstr("certificates/_.example.org.conf"), HasSubstr("ACME_CHALLENGE"), HasSubstr("dns-01")));
    EXPECT_FALSE(fs::exists(paths_.certificates()));
}

TEST_F(Further, RefusesAFirstNameThatNoFileCanHave) {
    const std::string part(60, 'a');
    const auto made = plan({part + "." + part + "." + part + "." + part + ".example"});
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, HasSubstr("too long"));
}

TEST_F(Further, NeedsTheHostsOwnSettings) {
    fs::remove(paths_.settings());
    EXPECT_THAT(plan({"shop.example.org"}).error().message, HasSubstr("commento-stack.conf"));
}

TEST_F(Further, IsWrittenOnceAndNotOverAnother) {
    const auto made = plan({"shop.example.org"});
    ASSERT_TRUE(made);
    EXPECT_TRUE(write_further(*made).value());
    EXPECT_EQ(read_file(made->path).value(), "DOMAIN=shop.example.org\n");
    EXPECT_FALSE(write_further(*made).value());
    const auto other = write_further(*plan({"shop.example.org", "www.example.org"}));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, ErrorCode::settings);
    EXPECT_THAT(other.error().hint, HasSubstr("edit it"));
    EXPECT_EQ(read_file(made->path).value(), "DOMAIN=shop.example.org\n");
}

TEST_F(Further, IsRemovedAndSaysWhetherTheStoreHasIt) {
    ASSERT_TRUE(write_further(*plan({"shop.example.org"})));
    EXPECT_FALSE(remove_further("shop.example.org", paths_).value());
    EXPECT_FALSE(fs::exists(file("shop.example.org.conf")));
    store("shop.example.org");
    EXPECT_TRUE(remove_further("shop.example.org", paths_).value());
}

TEST_F(Further, RemovesNothingElse) {
    store("other.example.org");
    for (const std::string name : {"shop.example.org", "../commento-stack", "..", ".", "", "/"}) {
        const auto removed = remove_further(name, paths_);
        ASSERT_FALSE(removed) << name;
        EXPECT_EQ(removed.error().code, ErrorCode::settings) << name;
    }
    EXPECT_TRUE(fs::exists(paths_.settings()));
}

} // namespace
} // namespace commento
