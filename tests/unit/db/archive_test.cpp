#include "db/archive.hpp"

#include "base/files.hpp"
#include "db/manifest.hpp"
#include "file_size_limit.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Content {
    std::string name;
    std::string text;
};

const std::vector<Content> kFew{{"database.dump", "what is in the database"}, {"host.tar", "what is on the host"}};

class BackupArchive : public testing::Test {
  protected:
    /// Fails the test where it can't be written.
    std::vector<PartFacts> write(const std::vector<Content>& parts) {
        std::filesystem::remove(file_);
        std::vector<PartFacts> facts;
        auto archive = ArchiveWriter::create(file_);
        EXPECT_TRUE(archive) << archive.error().message;
        for (const auto& part : parts) {
            EXPECT_TRUE(archive->begin(part.name));
            EXPECT_TRUE(archive->write(part.text));
            facts.push_back(archive->end().value());
        }
        EXPECT_TRUE(archive->finish());
        return facts;
    }

    std::string bytes() const { return read_file(file_, std::size_t{1} << 24U).value(); }

    void replace(std::string_view bytes) const { ASSERT_TRUE(write_file(file_, bytes, S_IRUSR | S_IWUSR)); }

    std::vector<Content> read() const {
        std::vector<Content> parts;
        auto archive = ArchiveReader::open(file_);
        while (const auto name = archive->next().value())
            parts.push_back({*name, archive->read_all(std::size_t{1} << 24U).value()});
        return parts;
    }

    /// Nothing where check_parts() finds that all is well.
    std::optional<ErrorCode> fault(const std::vector<PartFacts>& parts) const {
        const auto checked = check_parts(file_, parts);
        return checked ? std::nullopt : std::optional(checked.error().code);
    }

    void expect_damaged(const std::vector<PartFacts>& parts) const {
        const auto checked = check_parts(file_, parts);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code, ErrorCode::backup);
        EXPECT_THAT(checked.error().message, HasSubstr(file_.string()));
        EXPECT_THAT(checked.error().hint, HasSubstr("commentoctl backup list"));
    }

    Folder folder_;
    std::filesystem::path file_ = folder_ / "x.zip";
};

TEST_F(BackupArchive, GivesBackItsParts) {
    const std::string large(1'000'000, 'x');
    const auto facts = write({{"a", "some text"}, {"b", large}, {"c", ""}});
    const auto parts = read();
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[0].name, "a");
    EXPECT_EQ(parts[0].text, "some text");
    EXPECT_EQ(parts[1].text, large);
    EXPECT_EQ(parts[2].text, "");
    EXPECT_EQ(fault(facts), std::nullopt);
}

TEST_F(BackupArchive, TellsSizeAndChecksumOfAPart) {
    // FIPS 180-2, B.1
    EXPECT_THAT(write({{"a", "abc"}}),
                ElementsAre(PartFacts{"a", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}));
}

TEST_F(BackupArchive, TakesAPartPieceByPiece) {
    auto archive = ArchiveWriter::create(file_);
    ASSERT_TRUE(archive->begin("a"));
    for (const char* piece : {"a", "", "b", "c"})
        ASSERT_TRUE(archive->write(piece));
    EXPECT_EQ(archive->end().value(), (PartFacts{"a", 3, write({{"a", "abc"}}).front().sha256}));
}

TEST_F(BackupArchive, StoresItsPartsAsTheyAre) {
    write(kFew);
    EXPECT_THAT(bytes(), HasSubstr(kFew[0].text));
    EXPECT_THAT(bytes(), HasSubstr(kFew[1].text));
}

TEST_F(BackupArchive, IsForItsOwnerOnly) {
    const mode_t former = ::umask(0);
    write(kFew);
    ::umask(former);
    struct stat status {};
    ASSERT_EQ(::stat(file_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(BackupArchive, IsNeverWrittenOverAnother) {
    replace("precious");
    const auto archive = ArchiveWriter::create(file_);
    ASSERT_FALSE(archive);
    EXPECT_EQ(archive.error().code, ErrorCode::storage);
    EXPECT_THAT(archive.error().message, HasSubstr(file_.string()));
    EXPECT_EQ(bytes(), "precious");
}

TEST_F(BackupArchive, IsNeverWrittenThroughALink) {
    std::filesystem::create_symlink(folder_ / "elsewhere", file_);
    EXPECT_FALSE(ArchiveWriter::create(file_));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "elsewhere"));
}

TEST_F(BackupArchive, SaysThatTheDiskIsFull) {
    const FileSizeLimit limit(100'000);
    auto archive = ArchiveWriter::create(file_);
    ASSERT_TRUE(archive->begin("a"));
    Result<void> written;
    for (int i = 0; written && i < 10; ++i)
        written = archive->write(std::string(50'000, 'x'));
    if (written)
        written = archive->end().and_then([&](const auto& /*part*/) { return archive->finish(); });
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::storage);
    EXPECT_THAT(written.error().message, HasSubstr(file_.string()));
    EXPECT_THAT(written.error().hint, HasSubstr("df -h " + folder_.path().string()));
}

TEST_F(BackupArchive, CutOffAnywhereIsDamaged) {
    const auto facts = write(kFew);
    const std::string whole = bytes();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        replace(whole.substr(0, length));
        EXPECT_EQ(fault(facts), ErrorCode::backup) << length << " of " << whole.size() << " bytes";
    }
    replace(whole.substr(0, whole.size() / 2));
    expect_damaged(facts);
}

TEST_F(BackupArchive, WithAHoleIsDamaged) {
    const auto facts = write({{"a", std::string(300'000, 'x')}});
    std::string holed = bytes();
    holed.replace(100'000, 4096, 4096, '\0');
    replace(holed);
    expect_damaged(facts);
}

TEST_F(BackupArchive, WithABitFlippedInAPartIsDamaged) {
    const auto facts = write(kFew);
    const std::string whole = bytes();
    for (const auto& part : kFew) {
        const auto begin = whole.find(part.text);
        ASSERT_NE(begin, std::string::npos);
        for (std::size_t at = begin; at < begin + part.text.size(); ++at) {
            std::string flipped = whole;
            flipped[at] = static_cast<char>(flipped[at] ^ 4);
            replace(flipped);
            EXPECT_EQ(fault(facts), ErrorCode::backup) << at;
        }
    }
}

TEST_F(BackupArchive, WithABitFlippedElsewhereIsDamagedOrAsItWas) {
    const auto facts = write(kFew);
    const std::string whole = bytes();
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::string flipped = whole;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        replace(flipped);
        EXPECT_THAT(fault(facts), testing::AnyOf(std::nullopt, std::optional(ErrorCode::backup))) << bit;
    }
}

TEST_F(BackupArchive, WithOtherPartsWasAltered) {
    const auto facts = write(kFew);
    for (const auto& parts : std::vector<std::vector<Content>>{{kFew[0]},
                                                               {kFew[1]},
                                                               {},
                                                               {kFew[0], kFew[1], {"more", ""}},
                                                               {kFew[0], kFew[0], kFew[1]},
                                                               {kFew[1], kFew[0]},
                                                               {{"other.dump", kFew[0].text}, kFew[1]},
                                                               {{kFew[0].name, "of the same  length ..."}, kFew[1]},
                                                               {{kFew[0].name, kFew[0].text + "."}, kFew[1]}}) {
        write(parts);
        EXPECT_EQ(fault(facts), ErrorCode::backup);
    }
    write(kFew);
    EXPECT_EQ(fault(facts), std::nullopt);
}

TEST_F(BackupArchive, NeedNotHaveItsManifestAmongItsParts) {
    auto facts = write({kFew[0], kFew[1], {kManifestPart, "{}"}});
    facts.pop_back();
    EXPECT_EQ(fault(facts), std::nullopt);
}

TEST_F(BackupArchive, IsZipAndNothingElse) {
    for (const std::string& text : {std::string(), std::string("PK"), std::string("text\n"), std::string(100'000, 'x'),
                                    std::string(100'000, '\0'), std::string("PK\5\6") + std::string(18, '\xff')}) {
        replace(text);
        EXPECT_EQ(fault({{"a", 0, ""}}), ErrorCode::backup) << text.substr(0, 10);
    }
}

TEST_F(BackupArchive, ThatIsNotThereIsAFaultOfTheDisk) {
    EXPECT_EQ(fault({}), ErrorCode::storage);
    EXPECT_THAT(ArchiveReader::open(file_).error().message, HasSubstr(file_.string()));
}

TEST_F(BackupArchive, ThatIsAFolderIsNone) {
    std::filesystem::create_directory(file_);
    EXPECT_EQ(fault({{"a", 0, ""}}), ErrorCode::backup);
}

TEST_F(BackupArchive, FindsAPart) {
    write(kFew);
    auto archive = ArchiveReader::open(file_);
    ASSERT_TRUE(archive->find("host.tar"));
    EXPECT_EQ(archive->read_all(100), kFew[1].text);
}

TEST_F(BackupArchive, NamesThePartThatItHasNot) {
    write(kFew);
    const auto found = ArchiveReader::open(file_)->find("manifest.json");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::backup);
    EXPECT_THAT(found.error().message, HasSubstr("it has no part manifest.json"));
}

TEST_F(BackupArchive, GivesNoMoreThanIsAskedFor) {
    write(kFew);
    for (const std::size_t limit : {kFew[0].text.size(), kFew[0].text.size() - 1}) {
        auto archive = ArchiveReader::open(file_);
        ASSERT_TRUE(archive->find("database.dump"));
        const auto text = archive->read_all(limit);
        EXPECT_EQ(text.has_value(), limit == kFew[0].text.size());
        EXPECT_TRUE(text || text.error().code == ErrorCode::backup);
    }
}

} // namespace
} // namespace commento
