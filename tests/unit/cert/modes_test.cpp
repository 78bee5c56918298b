// The verbs where they need no authority. What needs one, and nginx, is tested on a machine: tests/system.

#include "cert/bootstrap.hpp"
#include "cert/renew.hpp"
#include "cert/store.hpp"
#include "folder.hpp"
#include "pairs.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class Modes : public testing::Test {
  protected:
    Modes() { EXPECT_TRUE(make_folder(paths_.settings().parent_path(), 0755)); }

    void set(const std::string& lines) {
        const std::string always = std::string("DOMAIN=") + kDomain + "\nEMAIL=me@example.org\n";
        EXPECT_TRUE(write_file(paths_.settings(), always + lines, 0644));
    }

    void give_files(const Pair& pair) {
        EXPECT_TRUE(write_file(folder_ / "chain.pem", pair.chain, 0644));
        EXPECT_TRUE(write_file(folder_ / "key.pem", pair.key, 0600));
        set("TLS_MODE=files\nTLS_CERTIFICATE_FILE=" + (folder_ / "chain.pem").string() +
            "\nTLS_KEY_FILE=" + (folder_ / "key.pem").string() + "\n");
    }

    void add_further(const std::string& name, const std::string& text) {
        EXPECT_TRUE(make_folder(paths_.certificates(), 0755));
        EXPECT_TRUE(write_file(paths_.certificates() / (name + ".conf"), text, 0644));
    }

    Generation live() const { return published(store_).value(); }

    Folder folder_;
    Paths paths_{folder_.path()};
    Store store_{paths_.tls(), paths_.tls_changed()};
};

TEST_F(Modes, BootstrapMakesAPlaceholderOfTheKindThatTheSettingsName) {
    set("TLS_KEY_TYPE=ecdsa-p384\n");
    ASSERT_TRUE(bootstrap(paths_));
    EXPECT_EQ(live().facts.origin.source, Source::self_signed);
    EXPECT_EQ(live().key_type, "ecdsa-p384");
}

TEST_F(Modes, BootstrapRunAgainChangesNothing) {
    set("");
    ASSERT_TRUE(bootstrap(paths_));
    const auto tree = tree_of(paths_.state());
    ASSERT_TRUE(bootstrap(paths_));
    EXPECT_EQ(tree_of(paths_.state()), tree);
}

TEST_F(Modes, BootstrapKeepsWhatIsThereThoughTheSettingsAskForAnother) {
    set("");
    ASSERT_TRUE(bootstrap(paths_));
    set("TLS_KEY_TYPE=ecdsa-p384\n");
    ASSERT_TRUE(bootstrap(paths_));
    EXPECT_EQ(live().name, "0001");
}

TEST_F(Modes, SelfSignedFollowsTheSettings) {
    set("TLS_MODE=selfsigned\n");
    ASSERT_TRUE(bootstrap(paths_));
    set("TLS_MODE=selfsigned\nTLS_KEY_TYPE=ecdsa-p384\n");
    ASSERT_TRUE(bootstrap(paths_));
    EXPECT_EQ(live().name, "0002");
    EXPECT_EQ(live().key_type, "ecdsa-p384");
}

TEST_F(Modes, RenewWithNothingDueChangesNoFile) {
    set("TLS_MODE=selfsigned\n");
    ASSERT_TRUE(bootstrap(paths_));
    ASSERT_TRUE(renew(paths_));
    const auto tree = tree_of(folder_.path());
    ASSERT_TRUE(renew(paths_));
    EXPECT_EQ(tree_of(folder_.path()), tree);
}

TEST_F(Modes, FilesAreTakenIn) {
    const Pair pair = make_pair_for(kDomain);
    give_files(pair);
    ASSERT_TRUE(bootstrap(paths_));
    EXPECT_EQ(live().facts.origin.source, Source::files);
    EXPECT_EQ(read_pair(store_, live()).value(), pair);
    EXPECT_EQ(live().name, "0001");
    ASSERT_TRUE(renew(paths_));
    EXPECT_EQ(live().name, "0001");
}

TEST_F(Modes, FilesThatDoNotFitLeaveTheFormerOnesInPlace) {
    const Pair good = make_pair_for(kDomain);
    give_files(good);
    ASSERT_TRUE(bootstrap(paths_));
    const Pair other = make_pair_for(kDomain);
    for (const Pair& bad : {Pair{other.chain, good.key}, make_pair_for("other.example.org"),
                            make_pair_for(kDomain, std::chrono::seconds(-60)), Pair{"", ""}}) {
        give_files(bad);
        EXPECT_EQ(bootstrap(paths_).error().code, ErrorCode::settings);
        EXPECT_EQ(renew(paths_).error().code, ErrorCode::settings);
        EXPECT_EQ(read_pair(store_, live()).value(), good);
    }
}

TEST_F(Modes, FilesThatDoNotFitAtTheFirstStartGetAPlaceholder) {
    give_files({"", ""});
    EXPECT_EQ(bootstrap(paths_).error().code, ErrorCode::settings);
    EXPECT_EQ(live().facts.origin.source, Source::self_signed);
}

TEST_F(Modes, AMissingFileIsNamedWithItsSetting) {
    give_files(make_pair_for(kDomain));
    fs::remove(folder_ / "key.pem");
    const auto done = bootstrap(paths_);
    EXPECT_THAT(done.error().message, HasSubstr("TLS_KEY_FILE: cannot open"));
    EXPECT_THAT(done.error().hint, HasSubstr("commento-stack.conf:5"));
}

TEST_F(Modes, AFaultInAFurtherCertificatesFileHindersNoOther) {
    set("TLS_MODE=selfsigned\n");
    ASSERT_TRUE(bootstrap(paths_));
    add_further("wrong", "DOMAIN=a.example.org\nHTTP_PORT=81\nTLS_KEY_TYPE=dsa\n");
    const auto done = renew(paths_);
    EXPECT_EQ(done.error().code, ErrorCode::settings);
    EXPECT_THAT(done.error().message,
                AllOf(HasSubstr("wrong.conf:2: HTTP_PORT"), HasSubstr("wrong.conf:3: TLS_KEY_TYPE")));
    EXPECT_EQ(live().facts.origin.source, Source::self_signed);
}

TEST_F(Modes, ACertificateThatNobodyAsksForIsNotRenewed) {
    set("TLS_MODE=selfsigned\n");
    ASSERT_TRUE(bootstrap(paths_));
    EXPECT_EQ(renew(paths_, {"nobody"}).error().code, ErrorCode::settings);
    EXPECT_TRUE(renew(paths_, {"main"}));
}

} // namespace
} // namespace commento
