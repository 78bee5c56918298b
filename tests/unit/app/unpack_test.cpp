#include "app/unpack.hpp"

#include "archives.hpp"
#include "base/fd.hpp"
#include "base/files.hpp"
#include "folder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Unpack : public testing::Test {
  protected:
    Unpack() { fs::create_directory(target()); }

    fs::path target() const { return folder_ / "target"; }

    Result<fs::path> unpack_file(const fs::path& file, const UnpackLimits& limits = {}) const {
        const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
        return unpack(opened.get(), file.filename(), target(), limits);
    }

    Result<fs::path> unpack_entries(const std::vector<Entry>& entries, const UnpackLimits& limits = {}) const {
        return unpack_file(make_archive(folder_ / "a.tar.gz", entries), limits);
    }

    /// Message of the refusal.
    std::string refusal(const std::vector<Entry>& entries, const UnpackLimits& limits = {}) const {
        const auto done = unpack_entries(entries, limits);
        EXPECT_FALSE(done);
        if (done)
            return "";
        EXPECT_EQ(done.error().code, ErrorCode::release);
        EXPECT_THAT(done.error().message, HasSubstr("a.tar.gz"));
        return done.error().message;
    }

    std::string outside() const { return (folder_ / "outside").string(); }

    Folder folder_;
};

mode_t mode_of(const fs::path& path) {
    struct stat status {};
    ::lstat(path.c_str(), &status);
    return status.st_mode & 07777U;
}

TEST_F(Unpack, GivesPlainModesWhateverTheArchiveAndTheUmaskSay) {
    const mode_t before = ::umask(0077);
    const auto done = unpack_entries({{.path = "program", .mode = 06711},
                                      {.path = "text", .mode = 0666},
                                      {.path = "implied/text"},
                                      {.path = "closed", .type = AE_IFDIR, .mode = 0},
                                      {.path = "closed/text", .mode = 0}});
    ::umask(before);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(mode_of(target()), 0755U);
    EXPECT_EQ(mode_of(target() / "program"), 0755U);
    EXPECT_EQ(mode_of(target() / "text"), 0644U);
    EXPECT_EQ(mode_of(target() / "implied"), 0755U);
    EXPECT_EQ(mode_of(target() / "closed"), 0755U);
    EXPECT_EQ(mode_of(target() / "closed/text"), 0644U);
}

class UnpackKinds : public Unpack, public testing::WithParamInterface<const char*> {};

TEST_P(UnpackKinds, AreTakenWholeAndRefusedTruncated) {
    std::vector<Entry> entries = release_entries(std::string(300'000, 'p'));
    // Not to be compressed away.
    for (std::size_t i = 0; i < entries[0].content.size(); ++i)
        entries[0].content[i] = static_cast<char>((i * i * 7919) >> 5U);
    const fs::path file = make_archive(folder_ / (std::string("a.") + GetParam()), entries);
    const auto whole = unpack_file(file);
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_EQ(*read_file(*whole / "commento"), entries[0].content);

    fs::remove_all(target());
    fs::create_directory(target());
    fs::resize_file(file, fs::file_size(file) / 2);
    const auto half = unpack_file(file);
    ASSERT_FALSE(half);
    EXPECT_EQ(half.error().code, ErrorCode::release);
    EXPECT_THAT(half.error().message, HasSubstr("truncated"));
}

INSTANTIATE_TEST_SUITE_P(All, UnpackKinds, testing::Values("tar.gz", "tar.xz", "tar.bz2", "tar.zst", "tar", "zip"));

TEST_F(Unpack, FindsTheContentInTheOnlyFolder) {
    const auto done = unpack_entries({folder_entry("commento-1.8.0/"), {.path = "commento-1.8.0/commento"}});
    ASSERT_TRUE(done);
    EXPECT_EQ(*done, fs::canonical(target() / "commento-1.8.0"));
}

TEST_F(Unpack, TakesTheFolderItselfWhereSeveralThingsLieInIt) {
    const auto done = unpack_entries({folder_entry("./"), folder_entry("./js"), {.path = "./commento"}});
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(*done, fs::canonical(target()));
}

TEST_F(Unpack, WorksBelowALink) {
    fs::create_directory_symlink(target(), folder_ / "link");
    const Fd file(::open(make_archive(folder_ / "a.tar", {{.path = "a"}, {.path = "b"}}).c_str(), O_RDONLY));
    EXPECT_TRUE(unpack(file.get(), "a.tar", folder_ / "link"));
    EXPECT_TRUE(fs::exists(target() / "b"));
}

TEST_F(Unpack, KeepsLinksThatStayInside) {
    const auto done = unpack_entries({{.path = "js/a", .content = "a"},
                                      symlink_entry("js/b", "a"),
                                      symlink_entry("c", "js/b"),
                                      hardlink_entry("d", "js/a")});
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(*read_file(target() / "c"), "a");
    EXPECT_EQ(*read_file(target() / "d"), "a");
}

TEST_F(Unpack, RefusesAnAbsolutePath) {
    EXPECT_THAT(refusal({{.path = outside()}}), HasSubstr(outside() + " is an absolute path"));
    EXPECT_FALSE(fs::exists(outside()));
}

TEST_F(Unpack, RefusesAPathThatLeavesTheFolder) {
    EXPECT_THAT(refusal({{.path = "js/../../outside"}}), HasSubstr("js/../../outside leaves"));
    EXPECT_FALSE(fs::exists(outside()));
}

TEST_F(Unpack, RefusesALinkThatLeavesTheFolder) {
    EXPECT_THAT(refusal({symlink_entry("js/link", "../../outside"), {.path = "x"}}), HasSubstr("the link js/link"));
}

TEST_F(Unpack, RefusesAnAbsoluteLink) {
    EXPECT_THAT(refusal({symlink_entry("link", "/etc/passwd"), {.path = "x"}}), HasSubstr("the link link"));
    EXPECT_THAT(refusal({symlink_entry("link", "/nonexistent"), {.path = "x"}}), HasSubstr("the link link"));
}

TEST_F(Unpack, RefusesALinkThatLeavesTheFolderThroughAnotherOne) {
    EXPECT_THAT(refusal({folder_entry("top"), folder_entry("deep/er"), symlink_entry("deep/er/up", "../../top"),
                         symlink_entry("link", "deep/er/up/../..")}),
                HasSubstr("the link link"));
}

TEST_F(Unpack, RefusesALinkOutOfTheOnlyFolder) {
    EXPECT_THAT(refusal({{.path = "wrap/x"}, symlink_entry("wrap/link", "..")}), HasSubstr("the link link"));
}

TEST_F(Unpack, WritesNothingThroughALink) {
    fs::create_directory(outside());
    refusal({symlink_entry("js", outside()), {.path = "js/commento.js"}});
    EXPECT_TRUE(fs::is_empty(outside()));
}

TEST_F(Unpack, RefusesALinkInPlaceOfTheFolder) {
    fs::create_directory(outside());
    EXPECT_THAT(refusal({symlink_entry(".", outside())}), HasSubstr("takes the place"));
    EXPECT_TRUE(fs::is_empty(outside()));
}

TEST_F(Unpack, RefusesAHardLinkToWhatIsOutside) {
    std::ignore = write_file(outside(), "secret", 0600);
    EXPECT_THAT(refusal({hardlink_entry("link", outside())}), HasSubstr("link, a link to " + outside()));
    EXPECT_THAT(refusal({hardlink_entry("link", "../outside")}), HasSubstr("leaves"));
    EXPECT_EQ(fs::hard_link_count(outside()), 1U);
}

TEST_F(Unpack, RefusesDevicesPipesAndSockets) {
    EXPECT_THAT(refusal({{.path = "dev", .type = AE_IFCHR}}), HasSubstr("dev is a device"));
    EXPECT_THAT(refusal({{.path = "dev", .type = AE_IFBLK}}), HasSubstr("dev is a device"));
    EXPECT_THAT(refusal({{.path = "pipe", .type = AE_IFIFO}}), HasSubstr("pipe is a device, pipe"));
}

TEST_F(Unpack, RefusesTooManyEntries) {
    EXPECT_THAT(refusal({{.path = "a"}, {.path = "b"}, {.path = "c"}}, {.entries = 2}),
                HasSubstr("more than 2 entries"));
}

TEST_F(Unpack, RefusesTooMuchOfAllFilesTogether) {
    const UnpackLimits limits{.bytes = 1U << 20U};
    const std::string half(600'000, 'a');
    EXPECT_THAT(refusal({{.path = "a", .content = half}, {.path = "b", .content = half}}, limits),
                HasSubstr("more than 1 MiB unpacked, reached at b"));
}

TEST_F(Unpack, RefusesWhatIsNoArchive) {
    ASSERT_TRUE(write_file(folder_ / "a.tar.gz", "<html>not found</html>", 0644));
    const auto done = unpack_file(folder_ / "a.tar.gz");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::release);
}

TEST_F(Unpack, ShowsNoControlCharactersOfNames) {
    EXPECT_THAT(refusal({{.path = "../\x1b[31m"}}), HasSubstr("../?[31m"));
}

} // namespace
} // namespace commento
