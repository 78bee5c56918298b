// Encrypted parts are made by the real age(1) and gpg(1), and read by them.

#include "db/host_files.hpp"

#include "base/files.hpp"
#include "base/process.hpp"
#include "folder.hpp"

#include <atomic>
#include <fmt/format.h>
#include <future>
#include <gmock/gmock.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;

constexpr std::size_t kMost = std::size_t{1} << 24U;

/// What is below a folder: kind, mode and content, by path.
std::map<std::string, std::string> tree(const fs::path& folder) {
    std::map<std::string, std::string> entries;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        struct stat status {};
        ::lstat(entry.path().c_str(), &status);
        std::string facts = fmt::format("{:o}", status.st_mode);
        if (entry.is_symlink())
            facts += " to " + fs::read_symlink(entry.path()).string();
        else if (entry.is_regular_file())
            facts += " " + read_file(entry.path(), kMost).value_or("not readable");
        entries[entry.path().lexically_relative(folder)] = facts;
    }
    return entries;
}

/// Standard output of a program that succeeds.
std::string output_of(const std::vector<std::string>& arguments) {
    const auto outcome = run_program(arguments, 120s, {}, Stderr::apart, kMost);
    EXPECT_TRUE(outcome) << arguments.front();
    EXPECT_EQ(outcome->status, 0) << arguments.front() << ": " << outcome->errors;
    return outcome->output;
}

class HostFiles : public testing::Test {
  protected:
    HostFiles() {
        put("etc/commento-stack/commento-stack.conf", "DOMAIN=comments.example.org\n", 0644);
        put("etc/commento-stack/secrets.conf", "COMMENTO_SMTP_PASSWORD=geheim\n", 0640);
        put("etc/commento-stack/certificates/shop.conf", "DOMAIN=shop.example.org\n", 0644);
        put("var/lib/commento-stack/tls/generations/0001/fullchain.pem", "chain", 0644);
        put("var/lib/commento-stack/tls/generations/0001/privkey.pem", "key", 0600);
        fs::create_symlink("generations/0001", paths_.tls_live());
        fs::create_directory(paths_.tls_further());
        put("var/lib/commento-stack/acme/accounts/one/account.json", "{}", 0600);
        ::chmod((paths_.acme() / "accounts").c_str(), 0700);
    }

    void put(const std::string& name, const std::string& content, mode_t mode) const {
        const fs::path path = paths_.root / name;
        fs::create_directories(path.parent_path());
        ASSERT_TRUE(write_file(path, content, mode));
    }

    Settings settings(const std::string& recipients = {}) {
        std::string text = "DOMAIN=comments.example.org\nEMAIL=you@example.org\n";
        if (!recipients.empty()) {
            EXPECT_TRUE(write_file(folder_ / "recipients", recipients, 0644));
            text += "BACKUP_RECIPIENT_FILE=" + (folder_ / "recipients").string() + "\n";
        }
        return Settings::examine(text, "", paths_).settings;
    }

    struct Part {
        std::string name;
        std::string content;
    };

    /// Fails the test where that does not succeed.
    Part add(const Settings& settings) {
        const fs::path file = folder_ / "x.zip";
        fs::remove(file);
        auto archive = ArchiveWriter::create(file);
        const auto part = add_host_files(paths_, settings, *archive);
        EXPECT_TRUE(part) << part.error().message;
        EXPECT_TRUE(archive->finish());
        if (!part)
            return {};
        EXPECT_TRUE(check_parts(file, {*part}));
        auto reader = ArchiveReader::open(file);
        EXPECT_TRUE(reader->find(part->name));
        return {part->name, reader->read_all(kMost).value()};
    }

    Error refusal_of(const std::string& recipients) {
        auto archive = ArchiveWriter::create(folder_ / "refused.zip");
        const auto part = add_host_files(paths_, settings(recipients), *archive);
        fs::remove(folder_ / "refused.zip");
        EXPECT_FALSE(part) << "not refused: " << recipients;
        return part ? Error{} : part.error();
    }

    std::map<std::string, std::string> unpacked(const std::string& tar) {
        const fs::path target = folder_ / "target";
        fs::remove_all(target);
        fs::create_directory(target);
        const auto done = unpack_host_files(tar, target);
        EXPECT_TRUE(done) << done.error().message;
        return tree(target);
    }

    Folder folder_;
    Paths paths_{folder_ / "root"};
};

TEST_F(HostFiles, ComeBackAsTheyWere) {
    put("etc/commento-stack/large.pem", std::string(300'000, 'x') + "end", 0400);
    put("etc/commento-stack/" + std::string(120, 'n'), "a long name", 0600);
    const Part part = add(settings());
    EXPECT_EQ(part.name, "host.tar");
    EXPECT_EQ(unpacked(part.content), tree(paths_.root));
}

TEST_F(HostFiles, ComeBackThoughAFileHasAHole) {
    put("etc/commento-stack/holed", "begin", 0600);
    fs::resize_file(paths_.root / "etc/commento-stack/holed", 1'000'000);
    put("etc/commento-stack/hole", "", 0600);
    fs::resize_file(paths_.root / "etc/commento-stack/hole", 1'000'000);
    EXPECT_EQ(unpacked(add(settings()).content), tree(paths_.root));
}

TEST_F(HostFiles, ComeBackThoughANameIsNotInAscii) {
    put("etc/commento-stack/schl\xc3\xbcssel.pem", "key", 0600);
    fs::create_symlink("schl\xc3\xbcssel.pem", paths_.root / "etc/commento-stack/verkn\xc3\xbcpfung");
    put("etc/commento-stack/no utf8 \xff", "", 0600);
    EXPECT_EQ(unpacked(add(settings()).content), tree(paths_.root));
}

TEST_F(HostFiles, ComeBackThoughAFileHasTwoNames) {
    fs::create_hard_link(paths_.settings(), paths_.root / "etc/commento-stack/second");
    EXPECT_EQ(unpacked(add(settings()).content), tree(paths_.root));
}

TEST_F(HostFiles, ComeBackToTheirOwnersWhereTheCallerMaySetThem) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "only root can give files away";
    constexpr uid_t kDaemon = 1;
    ASSERT_EQ(::chown(paths_.secrets().c_str(), kDaemon, kDaemon), 0);
    ASSERT_EQ(::lchown(paths_.tls_live().c_str(), kDaemon, kDaemon), 0);
    unpacked(add(settings()).content);
    for (const char* name : {"etc/commento-stack/secrets.conf", "var/lib/commento-stack/tls/live"}) {
        struct stat status {};
        ASSERT_EQ(::lstat((folder_ / "target" / name).c_str(), &status), 0);
        EXPECT_EQ(status.st_uid, kDaemon) << name;
        EXPECT_EQ(status.st_gid, kDaemon) << name;
    }
}

TEST_F(HostFiles, AreWithoutChallengesAndPipes) {
    put("var/lib/commento-stack/acme/webroot/.well-known/acme-challenge/token", "proof", 0644);
    ASSERT_EQ(::mkfifo((paths_.acme() / "pipe").c_str(), 0600), 0);
    put("var/lib/commento-stack/acme/zz", "after them", 0600);
    const auto entries = unpacked(add(settings()).content);
    EXPECT_THAT(entries, Contains(Key("var/lib/commento-stack/acme/zz")));
    EXPECT_THAT(entries, Not(Contains(Key(HasSubstr("webroot")))));
    EXPECT_THAT(entries, Not(Contains(Key("var/lib/commento-stack/acme/pipe"))));
}

TEST_F(HostFiles, AreWithoutWhatIsElsewhere) {
    put("var/lib/commento-stack/app/environment", "x", 0600);
    put("var/lib/commento-stack/backups/old.zip", "x", 0600);
    put("etc/passwd", "x", 0644);
    fs::create_directory_symlink("/usr", paths_.root / "etc/commento-stack/link"); // is not followed
    for (const auto& [path, facts] : unpacked(add(settings()).content))
        EXPECT_THAT(path, Not(AnyOf(HasSubstr("app"), HasSubstr("backups"), HasSubstr("passwd"), HasSubstr("link/"))));
}

TEST_F(HostFiles, ArePossiblyFew) {
    fs::remove_all(paths_.tls());
    fs::remove_all(paths_.acme());
    EXPECT_THAT(unpacked(add(settings()).content), Contains(Key("etc/commento-stack/secrets.conf")));
}

TEST_F(HostFiles, AreTakenThoughOthersComeAndGoMeanwhile) {
    // As commento-cert writes its state, at any time.
    std::atomic<bool> ended = false;
    auto writer = std::async(std::launch::async, [&] {
        while (!ended)
            put("var/lib/commento-stack/acme/limits.json", "{}", 0600);
    });
    std::string fault;
    for (int i = 0; i < 100 && fault.empty(); ++i) {
        auto archive = ArchiveWriter::create(folder_ / "x.zip");
        if (const auto part = add_host_files(paths_, settings(), *archive); !part)
            fault = part.error().message;
        fs::remove(folder_ / "x.zip");
    }
    ended = true;
    writer.get();
    EXPECT_EQ(fault, "");
}

TEST_F(HostFiles, AreNotUnpackedOutsideTheFolder) {
    // Made by tar(1) with names as it would not take them by itself.
    ASSERT_TRUE(write_file(folder_ / "evil", "x", 0600));
    for (const std::string name : {"../escaped", "a/../../escaped"}) {
        output_of(
            {"tar", "-C", folder_.path(), "-Pcf", folder_ / "evil.tar", "--transform", "s,evil," + name + ",", "evil"});
        fs::create_directories(folder_ / "target");
        EXPECT_FALSE(unpack_host_files(read_file(folder_ / "evil.tar").value(), folder_ / "target")) << name;
        EXPECT_FALSE(fs::exists(folder_ / "escaped")) << name;
    }
}

TEST_F(HostFiles, AreUnpackedIntoAFolderBehindALink) {
    const std::string tar = add(settings()).content;
    fs::create_directory(folder_ / "real");
    fs::create_directory_symlink(folder_ / "real", folder_ / "link");
    const auto done = unpack_host_files(tar, folder_ / "link" / "host");
    EXPECT_TRUE(done) << done.error().message;
}

TEST_F(HostFiles, ThatAreCutOffAreAFault) {
    const std::string tar = add(settings()).content;
    fs::create_directory(folder_ / "target");
    EXPECT_FALSE(unpack_host_files(tar.substr(0, tar.size() / 2 / 512 * 512 + 100), folder_ / "target"));
    EXPECT_FALSE(unpack_host_files("rubbish", folder_ / "target"));
}

class EncryptedHostFiles : public HostFiles {
  protected:
    ~EncryptedHostFiles() override {
        for (const auto& home : homes_)
            run_program({"gpgconf", "--homedir", home, "--kill", "all"}, 60s);
    }

    /// A private key of age; the value is its recipient.
    std::string make_age_key(const std::string& name) {
        output_of({"age-keygen", "-o", folder_ / name});
        return output_of({"age-keygen", "-y", folder_ / name});
    }

    std::string opened_by_age(const std::string& encrypted, const std::string& key) {
        EXPECT_TRUE(write_file(folder_ / "host.tar.age", encrypted, 0600));
        return output_of({"age", "-d", "-i", folder_ / key, folder_ / "host.tar.age"});
    }

    /// A private key of GnuPG in a folder of its own; the value is the public one.
    std::string make_gpg_key(const std::string& name) {
        const fs::path home = folder_ / name;
        fs::create_directory(home);
        fs::permissions(home, fs::perms::owner_all);
        homes_.push_back(home);
        output_of(
            {"gpg", "--batch", "--homedir", home, "--quick-generate-key", "--passphrase", "", name + "@example.test"});
        return output_of({"gpg", "--batch", "--homedir", home, "--armor", "--export"});
    }

    Result<Outcome> open_by_gpg(const std::string& encrypted, const std::string& name) {
        EXPECT_TRUE(write_file(folder_ / "host.tar.gpg", encrypted, 0600));
        return run_program({"gpg", "--batch", "--homedir", folder_ / name, "--decrypt", folder_ / "host.tar.gpg"}, 120s,
                           {}, Stderr::apart, kMost);
    }

  private:
    std::vector<fs::path> homes_;
};

TEST_F(EncryptedHostFiles, AreForTheHolderOfAnAgeKey) {
    const Part part = add(settings("# our keys\n" + make_age_key("key")));
    EXPECT_EQ(part.name, "host.tar.age");
    EXPECT_THAT(part.content, Not(HasSubstr("geheim")));
    EXPECT_EQ(unpacked(opened_by_age(part.content, "key")), tree(paths_.root));
}

TEST_F(EncryptedHostFiles, AreForEachHolderOfAnAgeKey) {
    const Part part = add(settings(make_age_key("one") + make_age_key("two")));
    EXPECT_EQ(unpacked(opened_by_age(part.content, "one")), tree(paths_.root));
    EXPECT_EQ(unpacked(opened_by_age(part.content, "two")), tree(paths_.root));
}

TEST_F(EncryptedHostFiles, AreWholeThoughTheyAreLarge) {
    put("etc/commento-stack/large", std::string(5'000'000, 'x'), 0600);
    const Part part = add(settings(make_age_key("key")));
    EXPECT_EQ(unpacked(opened_by_age(part.content, "key")), tree(paths_.root));
}

TEST_F(EncryptedHostFiles, AreForTheHolderOfAnSshKey) {
    // Nobody has kept the private one.
    const Part part = add(settings(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGmeNNPssDXBopHG38Z5Qv0phoMSR17Xh4P1mmFyYRpv you@example.test\n"));
    EXPECT_EQ(part.name, "host.tar.age");
    EXPECT_THAT(part.content, HasSubstr("-> ssh-ed25519 "));
}

TEST_F(EncryptedHostFiles, AreForTheHolderOfAGnuPgKey) {
    const Part part = add(settings(make_gpg_key("one")));
    EXPECT_EQ(part.name, "host.tar.gpg");
    EXPECT_THAT(part.content, Not(HasSubstr("geheim")));
    const auto opened = open_by_gpg(part.content, "one");
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->status, 0) << opened->errors;
    EXPECT_EQ(unpacked(opened->output), tree(paths_.root));
}

TEST_F(EncryptedHostFiles, AreForEachHolderOfAGnuPgKey) {
    const Part part = add(settings(make_gpg_key("one") + make_gpg_key("two")));
    for (const char* name : {"one", "two"}) {
        const auto opened = open_by_gpg(part.content, name);
        ASSERT_TRUE(opened);
        EXPECT_EQ(opened->status, 0) << name << " is left out: " << opened->errors;
    }
}

TEST_F(EncryptedHostFiles, AreNotMadeWithAPrivateKey) {
    make_age_key("key");
    make_gpg_key("gpg");
    const std::string age = read_file(folder_ / "key").value();
    const std::string gpg = output_of({"gpg", "--batch", "--homedir", folder_ / "gpg", "--pinentry-mode", "loopback",
                                       "--passphrase", "", "--armor", "--export-secret-keys"});
    for (const std::string& key : {age, gpg}) {
        const Error error = refusal_of(key);
        EXPECT_EQ(error.code, ErrorCode::settings);
        EXPECT_THAT(error.message, HasSubstr((folder_ / "recipients").string() + " holds a private key"));
        EXPECT_THAT(error.message, Not(HasSubstr("AGE-SECRET-KEY")));
    }
}

TEST_F(EncryptedHostFiles, AreNotMadeWithRubbish) {
    for (const char* text : {"\n", "rubbish\n", "you@example.test\n", "age1rubbish\n", "ssh-ed25519 rubbish\n",
                             "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nrubbish\n-----END PGP PUBLIC KEY BLOCK-----\n"})
        EXPECT_EQ(refusal_of(text).code, ErrorCode::settings) << text;
    const std::string good = make_age_key("key");
    EXPECT_EQ(refusal_of(good + "rubbish\n").code, ErrorCode::settings);
}

TEST_F(EncryptedHostFiles, AreNotMadeWithoutTheFile) {
    const Settings gone = settings("age1\n");
    fs::remove(folder_ / "recipients");
    auto archive = ArchiveWriter::create(folder_ / "x.zip");
    const auto part = add_host_files(paths_, gone, *archive);
    ASSERT_FALSE(part);
    EXPECT_THAT(part.error().message, HasSubstr((folder_ / "recipients").string()));
}

} // namespace
} // namespace commento
