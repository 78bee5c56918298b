#include "cert/export.hpp"

#include "base/files.hpp"
#include "base/process.hpp"
#include "cert/account.hpp"
#include "cert/import.hpp"
#include "cert/site.hpp"
#include "cert/store.hpp"
#include "folder.hpp"
#include "issued.hpp"
#include "pairs.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kDirectory = "https://ca.example.org:14000/acme/dir";
constexpr const char* kAccountUrl = "https://ca.example.org:14000/account/1";

void put(const fs::path& file, const std::string& text) {
    ASSERT_TRUE(make_folder(file.parent_path(), 0700));
    ASSERT_TRUE(write_file(file, text, 0600));
}

class Export : public testing::Test {
  protected:
    Export() {
        put(paths_.settings(),
            fmt::format("DOMAIN={}\nEMAIL=ops@example.org\nACME_DIRECTORY={}\n", kDomain, kDirectory));
    }

    Generation install_main(const Pair& pair, Source source = Source::acme) {
        return install(sites().front().store, pair, {{source, source == Source::acme ? kDirectory : ""}}).value();
    }

    std::vector<Site> sites() const { return sites_of(paths_); }

    static std::vector<Site> sites_of(const Paths& paths) {
        const auto settings = std::make_shared<const Settings>(Settings::load(paths).value());
        std::vector<Site> all{main_site(paths, settings)};
        for (auto& further : further_sites(paths, settings))
            all.push_back(further.site.value());
        return all;
    }

    Account adopt(std::string_view key_type) {
        Account account{make_key(key_type).value(), kAccountUrl};
        EXPECT_TRUE(adopt_account(paths_, kDirectory, account).value());
        return account;
    }

    std::string certbot_certificates() const {
        const auto outcome = run_program({"certbot", "certificates", "--config-dir", target_, "--work-dir",
                                          spare_ / "w", "--logs-dir", spare_ / "l"},
                                         std::chrono::seconds(60));
        return outcome.value().output;
    }

    /// Identity, address and kind of key of every account that certbot's own code finds for the directory.
    std::string certbot_accounts() const {
        constexpr const char* kProgram = R"(
import sys
from certbot import configuration
from certbot._internal import account, cli
from certbot._internal.plugins import disco
arguments = ["show_account", "--server", sys.argv[2], "--config-dir", sys.argv[1], "--work-dir", sys.argv[3], "--logs-dir", sys.argv[3]]
config = configuration.NamespaceConfig(cli.prepare_and_parse_args(disco.PluginsRegistry.find_all(), arguments))
for found in account.AccountFileStorage(config).find_all():
    print(found.id, found.id in found.__repr__(), found.regr.uri, type(found.key).__name__)
    account.AccountFileStorage(config).load(found.id)
)";
        const auto outcome = run_program({"/usr/bin/python3", "-c", kProgram, target_, kDirectory, spare_ / "p"},
                                         std::chrono::seconds(60));
        return outcome.value().output;
    }

    Folder root_;
    Folder outside_;
    Paths paths_{root_.path()};
    fs::path target_ = outside_ / "letsencrypt";
    fs::path spare_ = outside_ / "spare";
    Log log_;
};

mode_t mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
}

TEST_F(Export, CertbotListsWhatItGets) {
    put(paths_.certificates() / "shop.conf", "DOMAIN=shop.example.org\nTLS_KEY_TYPE=rsa-2048\n");
    install_main(issue_for({"*.example.org", kDomain}));
    ASSERT_TRUE(install(sites().at(1).store, issue_for({"shop.example.org"}, std::chrono::hours(2160), "rsa-2048"),
                        {{Source::acme, kDirectory}}));
    adopt("ecdsa-p256");
    ASSERT_TRUE(export_certbot(paths_, target_));
    const std::string listed = certbot_certificates();
    EXPECT_THAT(listed, AllOf(HasSubstr("Certificate Name: comments.example.org"), HasSubstr("*.example.org"),
                              HasSubstr("Certificate Name: shop.example.org"), HasSubstr("(VALID: 89 days)"),
                              HasSubstr("Key Type: RSA"), HasSubstr("Key Type: ECDSA"),
                              HasSubstr((target_ / "live/shop.example.org/privkey.pem").string())));
    EXPECT_THAT(listed, Not(HasSubstr("invalid")));
}

class ExportOfEveryKey : public Export, public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(ExportOfEveryKey, CertbotFindsItsAccount) {
    const auto [type, kind] = GetParam();
    adopt(type);
    ASSERT_TRUE(export_certbot(paths_, target_));
    const fs::path folder = target_ / "accounts/ca.example.org:14000/acme/dir";
    const std::string id = fs::directory_iterator(folder)->path().filename();
    EXPECT_EQ(certbot_accounts(), fmt::format("{} True {} {}\n", id, kAccountUrl, kind));
}

INSTANTIATE_TEST_SUITE_P(Key, ExportOfEveryKey,
                         testing::Values(std::pair("ecdsa-p256", "JWKEC"), std::pair("ecdsa-p384", "JWKEC"),
                                         std::pair("rsa-2048", "JWKRSA")));

TEST_F(Export, ImportsAgainAsItWas) {
    const Pair pair = issue_for({kDomain, "www.example.org"});
    put(paths_.settings(), fmt::format("DOMAIN={}\nTLS_NAMES=www.example.org\nEMAIL=ops@example.org\n", kDomain));
    install_main(pair);
    const Account account = adopt("rsa-2048");
    ASSERT_TRUE(export_certbot(paths_, target_));

    const Folder other_root;
    const Paths other{other_root.path()};
    put(other.settings(), read_file(paths_.settings()).value());
    ASSERT_TRUE(import_from(other, {"certbot", target_}));
    const Store store = sites_of(other).front().store;
    ASSERT_TRUE(published(store)) << log_.text();
    EXPECT_EQ(read_pair(store, *published(store)).value(), pair);
    EXPECT_EQ(published(store)->facts.origin.directory, kDirectory);
    const Account read = load_account(other, kDirectory).value();
    EXPECT_EQ(EVP_PKEY_eq(read.key.get(), account.key.get()), 1);
    EXPECT_EQ(read.url, kAccountUrl);
}

TEST_F(Export, LetsNobodyElseReadKeys) {
    install_main(issue_for({kDomain}));
    adopt("ecdsa-p256");
    ::umask(0);
    ASSERT_TRUE(export_certbot(paths_, target_));
    ::umask(022);
    for (const auto& entry : fs::recursive_directory_iterator(target_)) {
        const std::string name = entry.path().filename();
        if (entry.is_directory() && !entry.is_symlink()) {
            EXPECT_EQ(mode_of(entry.path()), 0700U) << name;
        } else if (name.starts_with("priv") && !entry.is_symlink()) {
            EXPECT_EQ(mode_of(entry.path()), 0600U) << name;
        }
    }
}

TEST_F(Export, NeverWritesOverAndNamesEverythingInTheWay) {
    install_main(issue_for({kDomain}));
    adopt("ecdsa-p256");
    ASSERT_TRUE(export_certbot(paths_, target_));
    const auto tree = tree_of(outside_.path());
    install_main(issue_for({kDomain}));
    const auto done = export_certbot(paths_, target_);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::settings);
    EXPECT_THAT(done.error().message,
                AllOf(HasSubstr("archive/comments.example.org"), HasSubstr("live/comments.example.org"),
                      HasSubstr("renewal/comments.example.org.conf")));
    EXPECT_EQ(tree_of(outside_.path()), tree);
}

TEST_F(Export, AddsToWhatCertbotHas) {
    install_main(issue_for({kDomain}));
    const std::string id = adopt("ecdsa-p256").url;
    ASSERT_TRUE(export_certbot(paths_, target_));
    const auto before = tree_of(target_);
    put(paths_.settings(), "DOMAIN=other.example.org\nEMAIL=ops@example.org\n");
    install_main(issue_for({"other.example.org"}));
    ASSERT_TRUE(export_certbot(paths_, target_)) << log_.text();
    auto after = tree_of(target_);
    std::erase_if(after, [](const auto& file) { return file.first.find("other.example.org") != std::string::npos; });
    EXPECT_EQ(after, before);
    EXPECT_THAT(certbot_certificates(), AllOf(HasSubstr("Certificate Name: comments.example.org"),
                                              HasSubstr("Certificate Name: other.example.org")));
}

TEST_F(Export, TwoWithTheSameFirstNameAreNumbered) {
    put(paths_.certificates() / "more.conf", fmt::format("DOMAIN={}\nTLS_NAMES=www.example.org\n", kDomain));
    install_main(issue_for({kDomain}));
    ASSERT_TRUE(install(sites().at(1).store, issue_for({kDomain, "www.example.org"}), {{Source::acme, kDirectory}}));
    ASSERT_TRUE(export_certbot(paths_, target_));
    EXPECT_THAT(certbot_certificates(), HasSubstr("Certificate Name: comments.example.org-0001"));
}

TEST_F(Export, AFolderOfSomethingElseIsRefused) {
    install_main(issue_for({kDomain}));
    put(target_ / "precious.txt", "mine");
    const auto done = export_certbot(paths_, target_);
    EXPECT_EQ(done.error().code, ErrorCode::settings);
    EXPECT_EQ(tree_of(target_).size(), 1U);
}

TEST_F(Export, WithoutACertificateOfAnAuthorityOrAnAccountThereIsNothingToExport) {
    install_main(self_signed_for({kDomain}), Source::self_signed);
    EXPECT_EQ(export_certbot(paths_, target_).error().code, ErrorCode::settings);
    EXPECT_FALSE(fs::exists(target_));
}

TEST_F(Export, WhatTheStoreSaysNeverBecomesAPathElsewhereOrALineOfCertbots) {
    install_main(issue_for({kDomain}));
    const fs::path info = sites().front().store.live() / "info.json";
    const std::string text = read_file(info).value();
    const auto with = [&](const std::string& former, const std::string& other) {
        std::string changed = text;
        changed.replace(changed.find(former), former.size(), other);
        return changed;
    };
    for (const auto& changed : {with(kDomain, "../../x"), with(kDirectory, "https://ca.example.org/../../x"),
                                with(kDirectory, R"(https://ca.example.org/\npre_hook = /bin/false)")}) {
        ASSERT_TRUE(write_file(info, changed, 0644));
        const auto done = export_certbot(paths_, target_);
        ASSERT_FALSE(done) << changed;
        EXPECT_EQ(done.error().code, ErrorCode::storage);
        EXPECT_FALSE(fs::exists(target_));
    }
}

} // namespace
} // namespace commento
