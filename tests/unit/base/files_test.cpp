#include "base/files.hpp"

#include "file_size_limit.hpp"
#include "folder.hpp"

#include <array>
#include <fcntl.h>
#include <fstream>
#include <gmock/gmock.h>
#include <grp.h>
#include <set>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct stat status_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status;
}

mode_t mode_of(const fs::path& path) { return status_of(path).st_mode & 07777U; }

std::set<std::string> entries_of(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.insert(entry.path().filename());
    return names;
}

TEST(Files, WritesContentAndModeWhateverTheUmaskIs) {
    const Folder folder;
    const mode_t before = ::umask(0077);
    const auto done = write_file(folder / "file", "content", 0644);
    ::umask(before);
    ASSERT_TRUE(done);
    EXPECT_EQ(read_file(folder / "file").value(), "content");
    EXPECT_EQ(mode_of(folder / "file"), 0644U);
    EXPECT_EQ(entries_of(folder.path()), std::set<std::string>{"file"});
}

TEST(Files, MakesAFileWithModeAndTimeAndNoneWhereThereIsOne) {
    const Folder folder;
    const mode_t before = ::umask(0077);
    const auto done = make_file(folder / "file", "content", 0644, 1'000'000'000);
    ::umask(before);
    ASSERT_TRUE(done);
    EXPECT_EQ(read_file(folder / "file").value(), "content");
    EXPECT_EQ(mode_of(folder / "file"), 0644U);
    EXPECT_EQ(status_of(folder / "file").st_mtime, 1'000'000'000);

    const auto again = make_file(folder / "file", "another", 0644, 1'000'000'000);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::storage);
    EXPECT_THAT(again.error().message, HasSubstr("cannot create " + (folder / "file").string()));
    EXPECT_EQ(read_file(folder / "file").value(), "content");
}

TEST(Files, ReplacesAFileByAnotherOneSoThatItsReadersKeepTheOldContent) {
    const Folder folder;
    ASSERT_TRUE(write_file(folder / "file", "old", 0644));
    std::ifstream reader(folder / "file");
    ASSERT_TRUE(write_file(folder / "file", "new", 0600));
    std::string seen;
    reader >> seen;
    EXPECT_EQ(seen, "old");
    EXPECT_EQ(read_file(folder / "file").value(), "new");
    EXPECT_EQ(mode_of(folder / "file"), 0600U);
}

TEST(Files, WritesOverTheTemporaryFileOfARunThatWasKilled) {
    const Folder folder;
    const fs::path left = folder / (".file." + std::to_string(::getpid()) + ".tmp");
    fs::create_symlink(folder / "victim", left);
    ASSERT_TRUE(write_file(folder / "file", "content", 0600));
    EXPECT_EQ(entries_of(folder.path()), std::set<std::string>{"file"});
}

TEST(Files, KeepsTheOldFileAndLeavesNothingBehindWhenItCanNotBeReplaced) {
    const Folder folder;
    ASSERT_TRUE(make_folder(folder / "taken" / "inside", 0755));
    const auto done = write_file(folder / "taken", "content", 0644);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::storage);
    EXPECT_THAT(done.error().message, HasSubstr("cannot replace " + (folder / "taken").string()));
    EXPECT_EQ(entries_of(folder.path()), std::set<std::string>{"taken"});
}

TEST(Files, KeepsTheOldFileAndLeavesNothingBehindWhenThereIsNoRoom) {
    const Folder folder;
    ASSERT_TRUE(write_file(folder / "file", "old", 0644));
    Result<void> done;
    {
        const FileSizeLimit limit(10);
        done = write_file(folder / "file", std::string(100, 'x'), 0644);
    }
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::storage);
    EXPECT_THAT(done.error().message, HasSubstr("cannot write"));
    EXPECT_EQ(read_file(folder / "file").value(), "old");
    EXPECT_EQ(entries_of(folder.path()), std::set<std::string>{"file"});
}

TEST(Files, GivesAFileToTheGroupThatIsAskedFor) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "only root may choose any group";
    const Folder folder;
    constexpr gid_t kGroup = 4242;
    ASSERT_TRUE(write_file(folder / "file", "content", 0640, kGroup));
    EXPECT_EQ(status_of(folder / "file").st_gid, kGroup);
    EXPECT_EQ(mode_of(folder / "file"), 0640U);
    EXPECT_FALSE(update_file(folder / "file", "content", 0640, kGroup).value());
    EXPECT_TRUE(update_file(folder / "file", "content", 0640, 4243).value());
}

TEST(Files, UpdatesOnlyWhatDiffers) {
    const Folder folder;
    EXPECT_TRUE(update_file(folder / "file", "one", 0644).value());
    const auto first = status_of(folder / "file");
    EXPECT_FALSE(update_file(folder / "file", "one", 0644).value());
    EXPECT_EQ(status_of(folder / "file").st_ino, first.st_ino);
    EXPECT_TRUE(update_file(folder / "file", "one", 0600).value());
    EXPECT_TRUE(update_file(folder / "file", "two", 0600).value());
    EXPECT_EQ(read_file(folder / "file").value(), "two");
}

TEST(Files, RefusesToReadMoreThanTheLimit) {
    const Folder folder;
    ASSERT_TRUE(write_file(folder / "file", std::string(101, 'x'), 0644));
    EXPECT_TRUE(read_file(folder / "file", 101));
    const auto content = read_file(folder / "file", 100);
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().code, ErrorCode::storage);
    EXPECT_THAT(content.error().message, HasSubstr("larger than 100 bytes"));
}

TEST(Files, NamesAFileThatIsNotThere) {
    const auto content = read_file("/nonexistent/file");
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().code, ErrorCode::storage);
    EXPECT_EQ(content.error().message, "cannot open /nonexistent/file: No such file or directory");
}

TEST(Files, TellsAFileThatMayNotBeReadFromOneThatCanNot) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "needs a file of another user";
    const Folder folder;
    ASSERT_TRUE(write_file(folder / "file", "secret", 0600));
    ASSERT_EQ(::seteuid(65534), 0);
    const auto content = read_file(folder / "file");
    ASSERT_EQ(::seteuid(0), 0);
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().code, ErrorCode::permission);
    EXPECT_THAT(content.error().hint, HasSubstr("root"));
}

TEST(Files, MakesAFolderWithItsParentsAndLeavesAnExistingOneAsItIs) {
    const Folder folder;
    const mode_t before = ::umask(0077);
    ASSERT_TRUE(make_folder(folder / "a" / "b", 0755));
    ::umask(before);
    EXPECT_EQ(mode_of(folder / "a"), 0755U);
    EXPECT_EQ(mode_of(folder / "a" / "b"), 0755U);
    ASSERT_TRUE(make_folder(folder / "a", 0700));
    EXPECT_EQ(mode_of(folder / "a"), 0755U);
}

TEST(Files, RefusesAFolderBelowAFile) {
    const Folder folder;
    ASSERT_TRUE(write_file(folder / "file", "", 0644));
    const auto made = make_folder(folder / "file" / "below", 0755);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::storage);
}

TEST(Files, SwitchesALinkInOneStep) {
    const Folder folder;
    ASSERT_TRUE(point_link(folder / "live", "one"));
    EXPECT_EQ(fs::read_symlink(folder / "live"), "one");
    ASSERT_TRUE(point_link(folder / "live", "two"));
    EXPECT_EQ(fs::read_symlink(folder / "live"), "two");
    EXPECT_EQ(entries_of(folder.path()), std::set<std::string>{"live"});
}

TEST(Files, TheLockGoesWithItsHolder) {
    const Folder folder;
    const auto is_free = [&] {
        const Fd other(::open((folder / "lock").c_str(), O_RDWR | O_CLOEXEC));
        return ::flock(other.get(), LOCK_EX | LOCK_NB) == 0;
    };
    {
        const auto lock = lock_file(folder / "lock");
        ASSERT_TRUE(lock);
        EXPECT_FALSE(is_free());
    }
    EXPECT_TRUE(is_free());
}

TEST(Files, WaitsForAnotherHolderOfTheLock) {
    const Folder folder;
    auto first = lock_file(folder / "lock");
    ASSERT_TRUE(first);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        first = tl::unexpected<Error>(Error{}); // the child's copy of the descriptor holds the lock as well
        ::close(ends[0]);
        const auto second = lock_file(folder / "lock");
        ::_exit(second ? 0 : 1);
    }
    ::close(ends[1]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, WNOHANG), 0);
    first = tl::unexpected<Error>(Error{});
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    ::close(ends[0]);
}

} // namespace
} // namespace commento
