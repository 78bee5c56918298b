#include "cert/import.hpp"

#include "acme/jose.hpp"
#include "acme/jwk.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "cert/account.hpp"
#include "cert/due.hpp"
#include "cert/site.hpp"
#include "cert/store.hpp"
#include "folder.hpp"
#include "issued.hpp"
#include "pairs.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace commento {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kDirectory = "https://ca.example.org:14000/acme/dir";
constexpr const char* kAccountUrl = "https://ca.example.org:14000/account/1";

using Names = std::vector<std::string>;

void put(const fs::path& file, const std::string& text) {
    ASSERT_TRUE(make_folder(file.parent_path(), 0700));
    ASSERT_TRUE(write_file(file, text, 0600));
}

std::string slashed(std::string directory) { return directory.substr(directory.find("://") + 3); }

/// Writes what a client would have. The layouts are those of real runs against pebble.
struct Keeper {
    const char* client;
    void (*put_account)(const fs::path& folder, const std::string& directory, const EVP_PKEY* key);
    void (*put_pair)(const fs::path& folder, const std::string& name, const Pair& pair, const std::string& directory);
};

void certbot_account(const fs::path& folder, const std::string& directory, const EVP_PKEY* key) {
    const fs::path account = folder / "accounts" / slashed(directory) / "9b0c4e6d15611233be9b2ab833e42c26";
    put(account / "private_key.json", private_jwk(key).dump());
    put(account / "regr.json", json{{"body", json::object()}, {"uri", kAccountUrl}}.dump());
    put(account / "meta.json", R"({"creation_dt": "2026-01-01T00:00:00Z", "creation_host": "localhost"})");
}

void certbot_pair(const fs::path& folder, const std::string& name, const Pair& pair, const std::string& directory) {
    const fs::path archive = folder / "archive" / name;
    put(archive / "fullchain1.pem", pair.chain);
    put(archive / "privkey1.pem", pair.key);
    ASSERT_TRUE(make_folder(folder / "live" / name, 0700));
    for (const std::string kind : {"fullchain", "privkey"})
        ASSERT_TRUE(
            point_link(folder / "live" / name / (kind + ".pem"), "../../archive/" + name + "/" + kind + "1.pem"));
    put(folder / "renewal" / (name + ".conf"),
        fmt::format("# renew_before_expiry = 30 days\nversion = 2.1.0\n\n[renewalparams]\n"
                    "account = 9b0c4e6d15611233be9b2ab833e42c26\nserver = {}\nauthenticator = standalone\n",
                    directory));
}

void lego_account(const fs::path& folder, const std::string& directory, const EVP_PKEY* key) {
    std::string host = slashed(directory).substr(0, slashed(directory).find('/'));
    std::ranges::replace(host, ':', '_');
    const fs::path account = folder / "accounts" / host / "ops@example.org";
    put(account / "keys" / "ops@example.org.key", to_pem(key));
    put(account / "account.json",
        json{{"email", "ops@example.org"}, {"registration", {{"body", json::object()}, {"uri", kAccountUrl}}}}.dump());
}

void lego_pair(const fs::path& folder, const std::string& name, const Pair& pair, const std::string& directory) {
    const std::string stem = "certificates/" + name;
    put(folder / (stem + ".crt"), pair.chain);
    put(folder / (stem + ".issuer.crt"), pair.chain);
    put(folder / (stem + ".key"), pair.key);
    const std::string host = slashed(directory).substr(0, slashed(directory).find('/'));
    put(folder / (stem + ".json"), json{{"domain", name}, {"certUrl", "https://" + host + "/certZ/1"}}.dump());
}

void acme_sh_account(const fs::path& folder, const std::string& directory, const EVP_PKEY* key) {
    std::string place = slashed(directory);
    if (const auto colon = place.find(':'); colon != std::string::npos)
        place.erase(colon, place.find('/') - colon);
    put(folder / "ca" / place / "account.key", to_pem(key));
    put(folder / "ca" / place / "account.json", R"({"status":"valid","contact":["mailto:ops@example.org"]})");
    put(folder / "ca" / place / "ca.conf", fmt::format("CA_EMAIL='ops@example.org'\nACCOUNT_URL='{}'\n", kAccountUrl));
}

void acme_sh_pair(const fs::path& folder, const std::string& name, const Pair& pair, const std::string& directory) {
    put(folder / (name + "_ecc") / "fullchain.cer", pair.chain);
    put(folder / (name + "_ecc") / (name + ".key"), pair.key);
    put(folder / (name + "_ecc") / (name + ".conf"),
        fmt::format("Le_Domain='{}'\nLe_Alt='no'\nLe_API='{}'\nLe_Keylength='ec-256'\n", name, directory));
}

void dehydrated_account(const fs::path& folder, const std::string& directory, const EVP_PKEY* key) {
    const fs::path account = folder / "accounts" / base64url(directory + "\n");
    put(account / "account_key.pem", to_pem(key));
    put(account / "account_id.json", json{{"url", kAccountUrl}}.dump());
    put(account / "registration_info.json", R"({"status": "valid", "contact": ["mailto:ops@example.org"]})");
}

void dehydrated_pair(const fs::path& folder, const std::string& name, const Pair& pair,
                     const std::string& /*directory*/) {
    const fs::path certificate = folder / "certs" / name;
    put(certificate / "fullchain-1795629649.pem", pair.chain);
    put(certificate / "privkey-1795629649.pem", pair.key);
    ASSERT_TRUE(point_link(certificate / "fullchain.pem", "fullchain-1795629649.pem"));
    ASSERT_TRUE(point_link(certificate / "privkey.pem", "privkey-1795629649.pem"));
}

const Keeper kCertbot{"certbot", certbot_account, certbot_pair};
const Keeper kLego{"lego", lego_account, lego_pair};
const Keeper kAcmeSh{"acme.sh", acme_sh_account, acme_sh_pair};
const Keeper kDehydrated{"dehydrated", dehydrated_account, dehydrated_pair};

class Import : public testing::Test {
  protected:
    Import() { set("ACME_DIRECTORY=" + std::string(kDirectory)); }

    /// Further lines of the settings.
    void set(const std::string& lines) {
        put(paths_.settings(), fmt::format("DOMAIN={}\nEMAIL=ops@example.org\n{}\n", kDomain, lines));
    }

    std::vector<Site> sites() const {
        const auto settings = std::make_shared<const Settings>(Settings::load(paths_).value());
        std::vector<Site> all{main_site(paths_, settings)};
        for (auto& further : further_sites(paths_, settings))
            all.push_back(further.site.value());
        return all;
    }

    Store store() const { return sites().front().store; }
    std::optional<Generation> live() const { return published(store()); }
    std::string why_main_is_due() const { return why_due(live(), wanted_by(sites().front()), std::nullopt, now()); }

    void put_account(const Keeper& keeper = kCertbot, const std::string& directory = kDirectory) {
        keeper.put_account(there_, directory, account_key_.get());
    }

    void put_pair(const std::string& name, const Pair& pair, const Keeper& keeper = kCertbot,
                  const std::string& directory = kDirectory) {
        keeper.put_pair(there_, name, pair, directory);
    }

    Generation install_here(const Pair& pair, Source source = Source::acme) {
        return install(store(), pair, {{source, source == Source::acme ? kDirectory : ""}}).value();
    }

    Result<void> run(const Keeper& keeper = kCertbot) { return import_from(paths_, {keeper.client, there_}); }

    bool is_live(const Pair& pair) const {
        const auto generation = live();
        return generation && read_pair(store(), *generation).value() == pair;
    }

    Folder root_;
    Folder there_folder_;
    Paths paths_{root_.path()};
    fs::path there_ = there_folder_.path();
    PrivateKey account_key_ = make_key("ecdsa-p256").value();
    Log log_;
};

class FromEveryClient : public Import, public testing::WithParamInterface<Keeper> {};

TEST_P(FromEveryClient, TakesInAccountAndCertificateSoThatNothingIsDue) {
    const Pair pair = issue_for({kDomain});
    put_account(GetParam());
    put_pair(kDomain, pair, GetParam());
    ASSERT_TRUE(run(GetParam())) << log_.text();
    EXPECT_TRUE(is_live(pair)) << log_.text();
    EXPECT_EQ(live()->facts.origin, (Origin{Source::acme, kDirectory}));
    EXPECT_EQ(why_main_is_due(), "");
    ASSERT_TRUE(has_account(paths_, kDirectory)) << log_.text();
    const Account account = load_account(paths_, kDirectory).value();
    EXPECT_EQ(EVP_PKEY_eq(account.key.get(), account_key_.get()), 1);
    EXPECT_EQ(account.url, kAccountUrl);
}

TEST_P(FromEveryClient, ChangesNothingTheSecondTimeAndNothingThere) {
    put_account(GetParam());
    put_pair(kDomain, issue_for({kDomain}), GetParam());
    const auto there = tree_of(there_);
    ASSERT_TRUE(run(GetParam()));
    const auto tree = tree_of(root_.path());
    log_.clear();
    ASSERT_TRUE(run(GetParam()));
    EXPECT_EQ(tree_of(root_.path()), tree);
    EXPECT_EQ(tree_of(there_), there);
    EXPECT_THAT(log_.text(), AllOf(HasSubstr("in place already"), HasSubstr("in use already")));
}

TEST_P(FromEveryClient, ACertificateThatCannotBeUsedIsToldAndHindersNoOther) {
    const Pair good = issue_for({kDomain});
    put_account(GetParam());
    put_pair("expired.example.org", issue_for({"expired.example.org"}, std::chrono::seconds(-60)), GetParam());
    put_pair("mixed.example.org", {good.chain, issue_for({kDomain}).key}, GetParam());
    put_pair("own.example.org", self_signed_for({"own.example.org"}), GetParam());
    put_pair("rubbish.example.org", {"rubbish", "rubbish"}, GetParam());
    put_pair(kDomain, good, GetParam());
    ASSERT_TRUE(run(GetParam()));
    EXPECT_TRUE(is_live(good)) << log_.text();
    for (const char* reason : {"expired on", "does not belong", "self-signed", "no certificate"})
        EXPECT_THAT(log_.text(), HasSubstr(reason));
}

INSTANTIATE_TEST_SUITE_P(Client, FromEveryClient, testing::Values(kCertbot, kLego, kAcmeSh, kDehydrated),
                         [](const auto& parameter) {
                             std::string name = parameter.param.client;
                             std::erase(name, '.');
                             return name;
                         });

// Which certificate is taken in.

TEST_F(Import, OneForOtherNamesIsListedWithTheCommandToHaveIt) {
    put_pair("shop.example.org", issue_for({"shop.example.org", "www.example.org"}));
    ASSERT_TRUE(run());
    EXPECT_FALSE(live());
    EXPECT_THAT(log_.text(), HasSubstr("commentoctl cert issue shop.example.org www.example.org --later"));
}

TEST_F(Import, OneForMoreOrFewerNamesIsNotTheOne) {
    set("TLS_NAMES=www.example.org");
    put_pair("a", issue_for({kDomain}));
    put_pair("b", issue_for({kDomain, "www.example.org", "more.example.org"}));
    ASSERT_TRUE(run());
    EXPECT_FALSE(live());
}

TEST_F(Import, TheOrderOfNamesDoesNotMatter) {
    set("TLS_NAMES=\"b.example.org a.example.org\"\nACME_DIRECTORY=" + std::string(kDirectory));
    const Pair pair = issue_for({"a.example.org", "b.example.org", kDomain});
    put_pair("a.example.org", pair);
    ASSERT_TRUE(run());
    EXPECT_TRUE(is_live(pair)) << log_.text();
    EXPECT_EQ(why_main_is_due(), "");
}

TEST_F(Import, AFurtherSiteGetsItsOwn) {
    put(paths_.certificates() / "shop.conf", "DOMAIN=shop.example.org\n");
    put(paths_.certificates() / "broken.conf", "DOMAIN=\n");
    const Pair pair = issue_for({"shop.example.org"});
    put_pair("shop.example.org", pair);
    ASSERT_TRUE(run());
    EXPECT_THAT(log_.text(), HasSubstr("broken"));
    fs::remove(paths_.certificates() / "broken.conf");
    const Site shop = sites().at(1);
    ASSERT_TRUE(published(shop.store)) << log_.text();
    EXPECT_EQ(read_pair(shop.store, *published(shop.store)).value(), pair);
    EXPECT_FALSE(live());
}

TEST_F(Import, OfSeveralTheOneThatLastsLongestIsTaken) {
    const Pair longest = issue_for({kDomain}, std::chrono::hours(2000));
    put_pair("a", issue_for({kDomain}, std::chrono::hours(1000)));
    put_pair("b", longest);
    put_pair("c", issue_for({kDomain}, std::chrono::hours(1500)));
    ASSERT_TRUE(run());
    EXPECT_TRUE(is_live(longest));
}

TEST_F(Import, OneThatTheSettingsKeepComesBeforeOneThatLastsLonger) {
    const Pair fitting = issue_for({kDomain}, std::chrono::hours(1000));
    put_pair("a", fitting);
    put_pair("b", issue_for({kDomain}, std::chrono::hours(2000), "rsa-2048"));
    put_pair("c", issue_for({kDomain}, std::chrono::hours(2000)), kCertbot, "https://other.example.org/dir");
    ASSERT_TRUE(run());
    EXPECT_TRUE(is_live(fitting));
}

TEST_F(Import, OneThatTheSettingsDoNotKeepIsTakenAndTheSettingsThatWouldAreTold) {
    const Pair pair = issue_for({kDomain}, std::chrono::hours(2000), "rsa-2048");
    put_pair("a", pair, kCertbot, "https://other.example.org/dir");
    ASSERT_TRUE(run());
    EXPECT_TRUE(is_live(pair));
    EXPECT_NE(why_main_is_due(), "");
    EXPECT_THAT(log_.text(), HasSubstr("ACME_DIRECTORY=https://other.example.org/dir TLS_KEY_TYPE=rsa-2048"));
    set("ACME_DIRECTORY=https://other.example.org/dir\nTLS_KEY_TYPE=rsa-2048");
    EXPECT_EQ(why_main_is_due(), "");
}

TEST_F(Import, OneFromAnAuthorityThatLastsLongerStays) {
    const Pair present = issue_for({kDomain}, std::chrono::hours(2000));
    install_here(present);
    put_pair(kDomain, issue_for({kDomain}, std::chrono::hours(1000)));
    ASSERT_TRUE(run());
    EXPECT_TRUE(is_live(present));
    EXPECT_THAT(log_.text(), HasSubstr("the one in place is better"));
}

TEST_F(Import, APlaceholderAndOneThatEndsSoonerAreReplaced) {
    const Pair first = issue_for({kDomain}, std::chrono::hours(1000));
    const Pair second = issue_for({kDomain}, std::chrono::hours(2000));
    install_here(self_signed_for({kDomain}, std::chrono::hours(9000)), Source::self_signed);
    put_pair("a", first);
    ASSERT_TRUE(run());
    EXPECT_TRUE(is_live(first));
    put_pair("b", second);
    ASSERT_TRUE(run());
    EXPECT_TRUE(is_live(second));
}

TEST_F(Import, OneThatWasReplacedOrRevokedHereDoesNotComeBack) {
    const Pair former = issue_for({kDomain}, std::chrono::hours(2000));
    put_pair(kDomain, former);
    ASSERT_TRUE(run());
    const Generation first = *live();
    const Pair newer = issue_for({kDomain}, std::chrono::hours(1000));
    install_here(newer);
    ASSERT_TRUE(run());
    EXPECT_TRUE(is_live(newer));
    install_here(self_signed_for({kDomain}), Source::self_signed);
    ASSERT_TRUE(mark_revoked(store(), first));
    ASSERT_TRUE(run());
    EXPECT_FALSE(is_live(former));
    EXPECT_THAT(log_.text(), HasSubstr("it was revoked"));
}

TEST_F(Import, WhereTheSettingsAskForNoAuthorityNoneIsTaken) {
    set("TLS_MODE=selfsigned");
    put_pair(kDomain, issue_for({kDomain}));
    ASSERT_TRUE(run());
    EXPECT_FALSE(live());
    EXPECT_THAT(log_.text(), HasSubstr("set TLS_MODE=acme"));
}

TEST_F(Import, AMissingKeyIsToldWithItsFile) {
    put_pair(kDomain, issue_for({kDomain}));
    fs::remove(there_ / "archive" / kDomain / "privkey1.pem");
    ASSERT_TRUE(run());
    EXPECT_FALSE(live());
    EXPECT_THAT(log_.text(), HasSubstr("live/comments.example.org/privkey.pem"));
}

// Accounts.

TEST_F(Import, AnAccountThatIsInUseStays) {
    Account present{make_key("ecdsa-p256").value(), "https://ca.example.org:14000/account/7"};
    ASSERT_TRUE(adopt_account(paths_, kDirectory, present).value());
    put_account();
    ASSERT_TRUE(run());
    EXPECT_EQ(EVP_PKEY_eq(load_account(paths_, kDirectory).value().key.get(), present.key.get()), 1);
    EXPECT_THAT(log_.text(), HasSubstr("there is another one with"));
}

TEST_F(Import, OfTwoAccountsOfCertbotTheOneThatRenewsIsTaken) {
    const fs::path unused = there_ / "accounts" / slashed(kDirectory) / "0000";
    put(unused / "private_key.json", private_jwk(make_key("rsa-2048").value().get()).dump());
    put_account();
    put_pair(kDomain, issue_for({kDomain}));
    ASSERT_TRUE(run());
    EXPECT_EQ(EVP_PKEY_eq(load_account(paths_, kDirectory).value().key.get(), account_key_.get()), 1);
}

TEST_F(Import, AnRsaKeyAsCertbotMakesItIsTaken) {
    account_key_ = make_key("rsa-2048").value();
    put_account();
    ASSERT_TRUE(run());
    EXPECT_EQ(EVP_PKEY_eq(load_account(paths_, kDirectory).value().key.get(), account_key_.get()), 1);
}

TEST_F(Import, AnAccountOfTheFormerProtocolIsAskedForByItsKey) {
    put_account(kCertbot, "https://acme-v02.api.letsencrypt.org/directory");
    ASSERT_TRUE(run());
    EXPECT_EQ(load_account(paths_, "https://acme-v02.api.letsencrypt.org/directory").value().url, "");
}

TEST_F(Import, ADamagedAccountKeyIsToldAndHindersNothingElse) {
    const Pair pair = issue_for({kDomain});
    put_account();
    put_pair(kDomain, pair);
    put(there_ / "accounts" / slashed(kDirectory) / "9b0c4e6d15611233be9b2ab833e42c26" / "private_key.json", "{}");
    ASSERT_TRUE(run());
    EXPECT_TRUE(is_live(pair));
    EXPECT_FALSE(has_account(paths_, kDirectory));
    EXPECT_THAT(log_.text(), HasSubstr("private_key.json holds no account key"));
}

TEST_F(Import, LegoSaysOnlyTheHostAndLetsEncryptsIsKnownByIt) {
    constexpr const char* kLetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";
    put_account(kLego, kLetsEncrypt);
    put_pair(kDomain, issue_for({kDomain}), kLego, kLetsEncrypt);
    ASSERT_TRUE(run(kLego));
    EXPECT_TRUE(has_account(paths_, kLetsEncrypt));
    EXPECT_EQ(live()->facts.origin.directory, kLetsEncrypt);
}

TEST_F(Import, LegosUnknownHostIsTold) {
    put_account(kLego, "https://other.example.org/dir");
    ASSERT_TRUE(run(kLego));
    EXPECT_THAT(log_.text(), HasSubstr("nothing says which authority it is from; set ACME_DIRECTORY"));
    EXPECT_TRUE(account_directories(paths_).empty());
}

TEST_F(Import, AccountsThatWereClosedStayBehind) {
    put(there_ / "ca/ca.example.org/acme/dir/deactivated/1/account.key", to_pem(account_key_.get()));
    put_pair(kDomain, issue_for({kDomain}), kAcmeSh);
    ASSERT_TRUE(run(kAcmeSh));
    EXPECT_TRUE(account_directories(paths_).empty());

    put_account(kDehydrated);
    put_pair(kDomain, issue_for({kDomain}), kDehydrated);
    put(there_ / "accounts" / base64url(std::string(kDirectory) + "\n") / "deactivated", "");
    ASSERT_TRUE(run(kDehydrated));
    EXPECT_TRUE(account_directories(paths_).empty());
}

TEST_F(Import, DehydratedsStagingCertificateIsNotTakenForARealOne) {
    set("");
    put_account(kDehydrated, "https://acme-v02.api.letsencrypt.org/directory");
    put_account(kDehydrated, "https://acme-staging-v02.api.letsencrypt.org/directory");
    put_pair(kDomain, issue_for({kDomain}, std::chrono::hours(2000), "ecdsa-p256", "(STAGING) False Fennel E6"),
             kDehydrated);
    ASSERT_TRUE(run(kDehydrated));
    EXPECT_EQ(live()->facts.origin.directory, "https://acme-staging-v02.api.letsencrypt.org/directory");
    EXPECT_THAT(log_.text(), HasSubstr("TEST=true"));
    const Pair real = issue_for({kDomain}, std::chrono::hours(1000));
    put_pair("real", real, kDehydrated);
    ASSERT_TRUE(run(kDehydrated));
    EXPECT_TRUE(is_live(real)) << log_.text();
    EXPECT_EQ(why_main_is_due(), "");
}

// What can't be done at all.

TEST_F(Import, AFolderWithNothingOfThatClientIsAnErrorWithAHint) {
    for (const Keeper& keeper : {kCertbot, kLego, kAcmeSh, kDehydrated}) {
        const auto done = run(keeper);
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().code, ErrorCode::settings);
        EXPECT_THAT(done.error().message, HasSubstr(std::string("holds nothing of ") + keeper.client));
        EXPECT_NE(done.error().hint, "");
    }
}

TEST_F(Import, AFolderThatIsNotThereAndAClientThatIsUnknownAreErrors) {
    const auto missing = import_from(paths_, {"certbot", there_ / "missing"});
    EXPECT_EQ(missing.error().code, ErrorCode::settings);
    EXPECT_THAT(missing.error().message, HasSubstr("No such file"));
    EXPECT_EQ(import_from(paths_, {"acme-tiny", there_}).error().code, ErrorCode::settings);
    EXPECT_THAT(import_from(paths_, {"acme-tiny", there_}).error().hint, HasSubstr("certbot, lego"));
}

TEST_F(Import, WithoutAFolderLooksWhereTheClientKeepsThings) {
    put_pair(kDomain, issue_for({kDomain}));
    fs::create_directories(root_.path() / "etc");
    fs::copy(there_, root_.path() / "etc/letsencrypt", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    ASSERT_TRUE(import_from(paths_, {"certbot"}));
    EXPECT_TRUE(live());
}

} // namespace
} // namespace commento
