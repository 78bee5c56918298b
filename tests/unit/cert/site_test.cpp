#include "cert/site.hpp"

#include "acme/x509.hpp"
#include "base/files.hpp"
#include "cert/due.hpp"
#include "cert/order_file.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Sites : public testing::Test {
  protected:
    void add(const std::string& file, const std::string& text) {
        EXPECT_TRUE(make_folder(paths_.certificates(), 0755));
        EXPECT_TRUE(write_file(paths_.certificates() / file, text, 0644));
    }

    std::vector<NamedSite> further() const {
        const std::string common = "DOMAIN=comments.example.org\nEMAIL=me@example.org\nTLS_NAMES=www.example.org\n"
                                   "TLS_KEY_TYPE=rsa-2048\nACME_DIRECTORY=https://ca.example/dir\n";
        return further_sites(paths_, std::make_shared<const Settings>(Settings::examine(common, "", paths_).settings));
    }

    Folder folder_;
    Paths paths_{folder_.path()};
};

TEST_F(Sites, AreNoneWithoutFiles) { EXPECT_TRUE(further().empty()); }

TEST_F(Sites, AreNamedByTheirFilesInOrder) {
    add("b.conf", "DOMAIN=b.example.org\n");
    add("a.conf", "DOMAIN=a.example.org\n");
    add("a.conf~", "an editor's");
    add(".hidden.conf", "DOMAIN=c.example.org\n");
    add("main.conf", "DOMAIN=d.example.org\n");
    const auto sites = further();
    ASSERT_EQ(sites.size(), 2U);
    EXPECT_EQ(sites[0].name, "a");
    EXPECT_EQ(sites[1].site->store.folder, paths_.tls() / "further" / "b");
}

TEST_F(Sites, TakeFromTheHostsSettingsWhatTheirFileDoesNotSay) {
    add("a.conf", "DOMAIN=A.example.org\nTLS_NAMES=b.example.org 2001:DB8:0::1\nACME_PROFILE=shortlived\n");
    const auto sites = further();
    const Wanted wanted = wanted_by(sites.front().site.value());
    EXPECT_THAT(wanted.names, ElementsAre("a.example.org", "b.example.org", "2001:db8::1"));
    EXPECT_EQ(wanted.key_type, "rsa-2048");
    EXPECT_EQ(wanted.profile, "shortlived");
    EXPECT_THAT(wanted.directories, ElementsAre("https://ca.example/dir"));
}

TEST_F(Sites, DoNotTakeTheHostsNames) {
    add("a.conf", "DOMAIN=a.example.org\n");
    add("b.conf", "EMAIL=b@example.org\n");
    add("c.conf", "TLS_NAMES=192.0.2.1\n");
    const auto sites = further();
    EXPECT_THAT(sites[0].site->settings->certificate_names(), ElementsAre("a.example.org"));
    EXPECT_THAT(sites[1].site.error().message, HasSubstr("b.conf: DOMAIN is not set, nor is TLS_NAMES"));
    EXPECT_THAT(sites[2].site->settings->certificate_names(), ElementsAre("192.0.2.1"));
}

TEST_F(Sites, TellEveryFaultOfTheirFile) {
    add("a.conf", "DOMAIN=*.example.org\nHTTPS_PORT=1\nACME_EAB_KID=x\nTLS_KEY_TYPE=dsa\n");
    const std::string message = further().front().site.error().message;
    for (const char* fault : {"a.conf:1: DOMAIN", "a.conf:2: HTTPS_PORT is no key of a single certificate",
                              "ACME_EAB_KEY_FILE", "a.conf:4: TLS_KEY_TYPE"})
        EXPECT_THAT(message, HasSubstr(fault));
}

TEST_F(Sites, ProveWildcardsAndAddressesByFittingChallengesOnly) {
    add("a.conf", "DOMAIN=a.example.org\nTLS_NAMES=*.example.org\n");
    add("b.conf", "DOMAIN=b.example.org\nTLS_NAMES=192.0.2.1\nACME_CHALLENGE=dns-01\nACME_DNS_HOOK=/bin/true\n");
    add("c.conf", "DOMAIN=c.example.org\nACME_CHALLENGE=dns-01\n");
    const auto sites = further();
    EXPECT_THAT(sites[0].site.error().message, HasSubstr("*.example.org can only be proved by dns-01"));
    EXPECT_THAT(sites[1].site.error().message, HasSubstr("192.0.2.1 can only be proved by http-01"));
    EXPECT_THAT(sites[2].site.error().message, HasSubstr("ACME_DNS_SERVER"));
}

TEST_F(Sites, AnUnfinishedOrderIsReadBackAndHasItsKeyForItsOwnerOnly) {
    add("a.conf", "DOMAIN=a.example.org\n");
    const auto sites = further();
    const Site& site = sites.front().site.value();
    EXPECT_FALSE(load_order(site));
    PrivateKey key = make_key("ecdsa-p256").value();
    const std::string pem = to_pem(key.get());
    const std::string request = make_request(key.get(), {"a.example.org"}).value();
    ASSERT_TRUE(save_order(site, {"https://ca.example/dir",
                                  "https://ca.example/account/1",
                                  {"a.example.org"},
                                  "",
                                  "fingerprint of the former",
                                  "https://ca.example/order/1",
                                  std::move(key),
                                  request}));
    struct stat status {};
    ASSERT_EQ(::stat((site.state / "order.json").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    const auto read = load_order(site);
    ASSERT_TRUE(read);
    EXPECT_EQ(to_pem(read->key.get()), pem);
    EXPECT_EQ(read->request, request);
    EXPECT_EQ(read->url, "https://ca.example/order/1");
    EXPECT_EQ(read->follows, "fingerprint of the former");
    ASSERT_TRUE(forget_order(site));
    ASSERT_TRUE(forget_order(site));
    EXPECT_FALSE(load_order(site));
}

TEST_F(Sites, AnOrderThatIsDamagedIsNone) {
    add("a.conf", "DOMAIN=a.example.org\n");
    const auto sites = further();
    const Site& site = sites.front().site.value();
    ASSERT_TRUE(make_folder(site.state, 0755));
    for (const char* text : {"", "{", "{}", R"({"directory": 1})"}) {
        ASSERT_TRUE(write_file(site.state / "order.json", text, 0600));
        EXPECT_FALSE(load_order(site)) << text;
    }
}

TEST(SiteName, IsAFoldersNameAndNothingElse) {
    for (const char* good : {"a", "blog.example.org", "_.example.org", "2001-db8--1"})
        EXPECT_TRUE(is_site_name(good)) << good;
    for (const char* bad : {"", "main", ".", "..", ".a", "a/b", "a b", "a*", "\xc3\xa4"})
        EXPECT_FALSE(is_site_name(bad)) << bad;
    EXPECT_FALSE(is_site_name(std::string(201, 'a')));
}

} // namespace
} // namespace commento
