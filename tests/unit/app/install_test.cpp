#include "app/install.hpp"

#include "app/release.hpp"
#include "archives.hpp"
#include "base/files.hpp"
#include "folder.hpp"
#include "net/digest.hpp"

#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <map>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

namespace commento {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Install : public testing::Test {
  protected:
    Install() {
        fs::create_directories(paths_.settings().parent_path());
        fs::create_directories(paths_.app());
    }

    Result<void> install_with(const std::string& more) const {
        const std::string text = "DOMAIN=comments.example.org\nEMAIL=me@example.org\n" + more;
        EXPECT_TRUE(write_file(paths_.settings(), text, 0644));
        COMMENTO_ASSIGN(const Settings settings, Settings::load(paths_));
        return install(paths_, settings);
    }

    Result<void> install_archive(const fs::path& archive) const {
        return install_with(fmt::format("APP_ARCHIVE={}\n", archive.string()));
    }

    fs::path archive(const std::string& name, const std::string& program = "program") const {
        return make_archive(folder_ / name, release_entries(program));
    }

    std::string program() const { return read_file(paths_.app_current() / "commento").value_or("none"); }

    std::vector<fs::path> releases() const {
        return {fs::directory_iterator(paths_.app_releases()), fs::directory_iterator()};
    }

    /// Every file with what changes when it is written anew.
    std::map<std::string, std::string> state() const {
        std::map<std::string, std::string> files;
        for (const auto& entry : fs::recursive_directory_iterator(paths_.app())) {
            struct stat status {};
            ::lstat(entry.path().c_str(), &status);
            files[entry.path()] = fmt::format("{} {} {}", status.st_ino, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
        }
        return files;
    }

    Folder folder_;
    Paths paths_{folder_ / "root"};
};

std::string sum_of(const fs::path& file) {
    const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    return *sha256_of(opened.get());
}

TEST_F(Install, MakesTheReleaseCurrentAndWritesItsEnvironment) {
    const auto done = install_archive(archive("commento-v1.8.0-linux-glibc-amd64.tar.gz"));
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(program(), "program");
    EXPECT_EQ(fs::read_symlink(paths_.app_current()), "releases/commento-1.8.0");
    const std::string environment = *read_file(paths_.app_environment());
    EXPECT_THAT(environment, HasSubstr("COMMENTO_ORIGIN=https://comments.example.org\n"));
    EXPECT_THAT(environment, HasSubstr("COMMENTO_BIND_ADDRESS=127.0.0.1\n"));
    EXPECT_THAT(environment, HasSubstr("COMMENTO_STATIC=" + paths_.app_current().string() + "\n"));
    EXPECT_THAT(environment,
                HasSubstr("/run/commento-db-pool&port=6432&user=commento&sslmode=disable&binary_parameters=yes"));
}

TEST_F(Install, ChangesNothingTheSecondTime) {
    const fs::path file = archive("a.tar.gz");
    ASSERT_TRUE(install_archive(file));
    const auto before = state();
    ASSERT_TRUE(install_archive(file));
    EXPECT_EQ(state(), before);
}

TEST_F(Install, KnowsAnArchiveAgainThatWasOnlyCopied) {
    const fs::path file = archive("a.tar.gz");
    ASSERT_TRUE(install_archive(file));
    fs::copy_file(file, folder_ / "copy.tar.gz");
    ASSERT_TRUE(install_archive(folder_ / "copy.tar.gz"));
    EXPECT_THAT(releases(), SizeIs(1));
    EXPECT_EQ(read_marker(paths_.app_current())->archive, (folder_ / "copy.tar.gz").string());
}

TEST_F(Install, SwitchesBetweenReleasesThatStaySideBySide) {
    const fs::path one = archive("commento-1.0.tar.gz", "one");
    const fs::path two = archive("commento-2.0.tar.gz", "two");
    ASSERT_TRUE(install_archive(one));
    ASSERT_TRUE(install_archive(two));
    EXPECT_EQ(program(), "two");
    ASSERT_TRUE(install_archive(one));
    EXPECT_EQ(program(), "one");
    EXPECT_THAT(releases(), SizeIs(2));
}

TEST_F(Install, KeepsApartArchivesOfOneName) {
    ASSERT_TRUE(install_archive(archive("commento-1.0.tar.gz", "one")));
    const fs::path other = archive("commento-1.0.tar.gz", "other");
    ASSERT_TRUE(install_archive(other));
    EXPECT_EQ(program(), "other");
    EXPECT_EQ(fs::read_symlink(paths_.app_current()), "releases/commento-1.0-" + sum_of(other).substr(0, 12));
    EXPECT_EQ(*read_file(paths_.app_releases() / "commento-1.0/commento"), "one");
}

TEST_F(Install, TakesTheContentOutOfAWrappingFolder) {
    std::vector<Entry> entries = release_entries();
    for (auto& entry : entries)
        entry.path.insert(0, "commento/");
    ASSERT_TRUE(install_archive(make_archive(folder_ / "commento-1.0.zip", entries)));
    EXPECT_EQ(program(), "program");
    EXPECT_THAT(releases(), SizeIs(1));
}

TEST_F(Install, RefusesAWrongSumAndKeepsWhatIsCurrent) {
    ASSERT_TRUE(install_archive(archive("commento-1.0.tar.gz", "one")));
    const auto before = state();
    const fs::path other = archive("commento-2.0.tar.gz", "two");
    const std::string wrong(64, 'a');
    const auto done = install_with(fmt::format("APP_ARCHIVE={}\nAPP_SHA256={}\n", other.string(), wrong));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::release);
    EXPECT_THAT(done.error().message, HasSubstr(wrong));
    EXPECT_THAT(done.error().message, HasSubstr(sum_of(other)));
    EXPECT_EQ(state(), before);
}

TEST_F(Install, TakesASumInUpperCase) {
    const fs::path file = archive("a.tar.gz");
    std::string sum = sum_of(file);
    std::ranges::transform(sum, sum.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_TRUE(install_with(fmt::format("APP_ARCHIVE={}\nAPP_SHA256={}\n", file.string(), sum)));
}

TEST_F(Install, LeavesNothingOfARefusedArchive) {
    ASSERT_TRUE(install_archive(archive("commento-1.0.tar.gz", "one")));
    const auto before = state();
    const fs::path truncated = archive("commento-2.0.tar.gz", std::string(100'000, 'x'));
    fs::resize_file(truncated, fs::file_size(truncated) - 20);
    const auto done = install_archive(truncated);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::release);
    EXPECT_EQ(state().size(), before.size());
    EXPECT_EQ(program(), "one");
}

TEST_F(Install, RefusesAnArchiveWithoutTheProgram) {
    const auto done =
        install_archive(make_archive(folder_ / "source.tar.gz", {{.path = "README"}, {.path = "LICENSE"}}));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::release);
    EXPECT_THAT(done.error().message, HasSubstr("program `commento`"));
    EXPECT_THAT(releases(), IsEmpty());
}

TEST_F(Install, NamesAMissingArchive) {
    const auto done = install_archive(folder_ / "missing.tar.gz");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::storage);
    EXPECT_THAT(done.error().message, HasSubstr("missing.tar.gz"));
    EXPECT_FALSE(fs::exists(paths_.app_environment()));
}

TEST_F(Install, NeedsTheArchiveNoMoreOnceItIsInstalled) {
    const fs::path file = archive("a.tar.gz");
    ASSERT_TRUE(install_archive(file));
    fs::remove(file);
    EXPECT_TRUE(install_archive(file));
    EXPECT_EQ(program(), "program");
}

TEST_F(Install, MendsARelease) {
    const fs::path file = archive("a.tar.gz");
    ASSERT_TRUE(install_archive(file));
    fs::remove(paths_.app_current() / "commento");
    ASSERT_TRUE(install_archive(file));
    EXPECT_EQ(program(), "program");
    EXPECT_THAT(releases(), SizeIs(1));
}

TEST_F(Install, ClearsWhatAKilledRunLeft) {
    fs::create_directories(paths_.app_releases() / ".new/js");
    fs::create_directories(paths_.app() / "downloads");
    for (const auto& leftover :
         {paths_.app() / ".environment.7.tmp", paths_.app() / ".current.7.tmp", paths_.app() / "downloads/old.part"})
        ASSERT_TRUE(write_file(leftover, "x", 0600));
    ASSERT_TRUE(install_archive(archive("a.tar.gz")));
    EXPECT_THAT(releases(), SizeIs(1));
    EXPECT_TRUE(fs::is_empty(paths_.app() / "downloads"));
    EXPECT_FALSE(fs::exists(paths_.app() / ".environment.7.tmp"));
    EXPECT_FALSE(fs::exists(fs::symlink_status(paths_.app() / ".current.7.tmp")));
}

TEST_F(Install, GoesOnAfterAKillAtAnyMoment) {
    const fs::path one = archive("commento-1.0.tar.gz", "one");
    const fs::path two = archive("commento-2.0.tar.gz", std::string(1'000'000, '2'));
    ASSERT_TRUE(install_archive(one));
    for (int step = 0; step < 40; ++step) {
        const bool upgrade = step % 2 == 0;
        fs::remove_all(paths_.app_releases() / (upgrade ? "commento-2.0" : "commento-1.0"));
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit(install_archive(upgrade ? two : one) ? 0 : 1);
        std::this_thread::sleep_for(std::chrono::microseconds(step * 250));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        ASSERT_TRUE(fs::exists(paths_.app_current() / "commento")) << "killed in step " << step;
        const auto done = install_archive(upgrade ? two : one);
        ASSERT_TRUE(done) << "step " << step << ": " << done.error().message;
        ASSERT_EQ(program().front(), upgrade ? '2' : 'o');
    }
    for (const auto& release : releases())
        EXPECT_TRUE(read_marker(release)) << release;
}

TEST_F(Install, AsksNoServerForWhatIsDownloadedAlready) {
    const fs::path file = archive("a.tar.gz");
    const std::string sum = sum_of(file);
    fs::create_directories(paths_.app() / "downloads");
    fs::copy_file(file, paths_.app() / "downloads" / (sum + ".part"));
    const auto done = install_with(
        fmt::format("APP_URL=https://127.0.0.1:1/x/y/releases/download/v3.1/release.tar.gz\nAPP_SHA256={}\n", sum));
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(fs::read_symlink(paths_.app_current()), "releases/y-3.1");
    EXPECT_TRUE(fs::is_empty(paths_.app() / "downloads"));
}

TEST_F(Install, KeepsABrokenDownloadForTheNextRun) {
    const std::string sum(64, 'b');
    const fs::path part = paths_.app() / "downloads" / (sum + ".part");
    fs::create_directories(part.parent_path());
    ASSERT_TRUE(write_file(part, "first half", 0600));
    const auto done = install_with(fmt::format("APP_URL=https://127.0.0.1:1/release.tar.gz\nAPP_SHA256={}\n", sum));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::network);
    EXPECT_EQ(*read_file(part), "first half");
}

} // namespace
} // namespace commento
