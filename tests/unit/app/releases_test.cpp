#include "app/releases.hpp"

#include "app/beside.hpp"
#include "app/install.hpp"
#include "archives.hpp"
#include "base/files.hpp"
#include "config/serving.hpp"
#include "folder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kHead = "DOMAIN=comments.example.org\nEMAIL=me@example.org\n";
const std::string kSum(64, 'a');
const std::string kOther(64, 'b');

Settings settings_of(const std::string& more) { return Settings::examine(kHead + more, "", {}).settings; }

class Releases : public testing::Test {
  protected:
    Releases() {
        fs::create_directories(paths_.settings().parent_path());
        fs::create_directories(paths_.app());
    }

    fs::path archive(const std::string& version, const std::string& step = "") const {
        auto entries = release_entries(version);
        if (!step.empty())
            entries.push_back({.path = "db/" + step, .content = "SELECT 1"});
        return make_archive(folder_ / fmt::format("commento-{}.tar.gz", version), entries);
    }

    Settings naming_archive(const fs::path& file) const {
        EXPECT_TRUE(write_file(paths_.settings(), fmt::format("{}APP_ARCHIVE={}\n", kHead, file.string()), 0644));
        return *Settings::load(paths_);
    }

    void install_archive(const fs::path& file) const {
        const auto done = install(paths_, naming_archive(file));
        EXPECT_TRUE(done) << done.error().message;
    }

    json release(const std::string& name) const {
        for (const auto& each : describe_releases(paths_)) {
            if (each.at("name") == name)
                return each;
        }
        return nullptr;
    }

    Folder folder_;
    Paths paths_{folder_ / "root"};
};

TEST_F(Releases, AreListedWithTheCurrentOneAndTheOneBefore) {
    for (const char* version : {"1.0", "2.0", "3.0"})
        install_archive(archive(version));
    EXPECT_EQ(release("commento-3.0").at("state"), "current");
    EXPECT_EQ(release("commento-2.0").at("state"), "previous");
    EXPECT_EQ(release("commento-1.0").at("state"), "other");
    EXPECT_EQ(release("commento-1.0").at("version"), "1.0");
    EXPECT_EQ(release("commento-1.0").at("source"), (folder_ / "commento-1.0.tar.gz").string());
    EXPECT_GT(release("commento-1.0").at("installed"), 0);
    EXPECT_GT(release("commento-1.0").at("bytes"), 0);
}

TEST_F(Releases, TellWhichStepsOfTheCurrentOneTheyDoNotKnow) {
    install_archive(archive("1.0", "0001-a.sql"));
    install_archive(archive("2.0", "0002-b.sql"));
    EXPECT_THAT(release("commento-1.0").at("unknown_steps"), ElementsAre("0002-b.sql"));
    EXPECT_EQ(release("commento-2.0").at("unknown_steps"), json::array());
}

TEST_F(Releases, AreFetchedWithoutASwitch) {
    install_archive(archive("1.0"));
    const std::string environment = *read_file(paths_.app_environment());
    ASSERT_TRUE(fetch(paths_, naming_archive(archive("2.0"))));
    EXPECT_EQ(link_target(paths_.app_current()), "releases/commento-1.0");
    EXPECT_EQ(link_target(paths_.app_next()), "releases/commento-2.0");
    EXPECT_EQ(*read_file(paths_.app_environment()), environment);
}

TEST_F(Releases, NeedNoArchiveWhereTheirSumIsNamed) {
    install_archive(archive("1.0"));
    const Marker marker = *read_marker(paths_.app_current());
    install_archive(archive("2.0"));
    fs::remove(marker.archive);
    ASSERT_TRUE(write_file(paths_.settings(),
                           fmt::format("{}APP_ARCHIVE={}\nAPP_SHA256={}\n", kHead, marker.archive, marker.sha256),
                           0644));
    const auto done = install(paths_, *Settings::load(paths_));
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(link_target(paths_.app_current()), "releases/commento-1.0");
}

TEST_F(Releases, AreRemovedButForTheCurrentOneAndTheOneThatRunsBeside) {
    for (const char* version : {"1.0", "2.0", "3.0"})
        install_archive(archive(version));
    ASSERT_TRUE(place_beside(paths_, settings_of(""), paths_.app_releases() / "commento-1.0", 8081));
    EXPECT_THAT(remove_release(paths_, "commento-3.0").error().message, HasSubstr("is the current release"));
    EXPECT_THAT(remove_release(paths_, "commento-1.0").error().message, HasSubstr("is about to become"));
    EXPECT_THAT(remove_release(paths_, "../current").error().message, HasSubstr("there is no release"));
    ASSERT_TRUE(remove_release(paths_, "commento-2.0"));
    EXPECT_EQ(release("commento-2.0"), nullptr);
    EXPECT_EQ(link_target(paths_.app_previous()), "");
}

TEST_F(Releases, RunBesideWithAPortAndAFolderOfTheirOwn) {
    ASSERT_TRUE(place_beside(paths_, settings_of(""), "/releases/commento-2.0", 8081));
    const std::string environment = *read_file(paths_.beside_environment());
    EXPECT_THAT(environment, HasSubstr("COMMENTO_PORT=8081\n"));
    EXPECT_THAT(environment, HasSubstr("COMMENTO_STATIC=" + paths_.beside_release().string() + "\n"));
    EXPECT_EQ(link_target(paths_.beside_release()), "/releases/commento-2.0");
    ASSERT_TRUE(clear_beside(paths_));
    EXPECT_FALSE(fs::exists(paths_.beside()));
}

TEST_F(Releases, AreWhereReadersAreLedUntilTheyAreLedBack) {
    ASSERT_TRUE(place_beside(paths_, settings_of(""), "/releases/commento-2.0", 8081));
    EXPECT_EQ(serving_port(paths_, settings_of("")), 8080);
    ASSERT_TRUE(lead_to(paths_, 8081));
    EXPECT_EQ(serving_port(paths_, settings_of("")), 8081);
    ASSERT_TRUE(lead_back(paths_));
    EXPECT_EQ(beside_port(paths_), std::nullopt);
}

TEST(ServingPort, IsNotWhatADamagedFileSays) {
    const Folder folder;
    const Paths paths{folder / "root"};
    fs::create_directories(paths.beside());
    for (const char* text : {"", "x", "0", "70000", "-1"}) {
        ASSERT_TRUE(write_file(paths.beside_port(), text, 0644));
        EXPECT_EQ(beside_port(paths), std::nullopt) << text;
    }
}

TEST(Naming, OfAFileIsItsPathAndItsSum) {
    const std::string text = std::string(kHead) + "#APP_SHA256=x\n";
    const std::string named = naming(text, settings_of(""), {kSum, "/srv/a.tar.gz", "", ""});
    EXPECT_THAT(named, HasSubstr("APP_ARCHIVE=/srv/a.tar.gz\n"));
    EXPECT_THAT(named, HasSubstr("\nAPP_SHA256=" + kSum + "\n"));
    EXPECT_THAT(named, Not(HasSubstr("APP_URL")));
}

TEST(Naming, OfADownloadTakesTheFileOut) {
    const std::string text = fmt::format("{}APP_ARCHIVE=/srv/a.tar.gz\nAPP_SHA256={}\n", kHead, kOther);
    const Settings settings = Settings::examine(text, "", {}).settings;
    const std::string named = naming(text, settings, {kSum, "", "", "https://example.org/b.tar.gz"});
    EXPECT_THAT(named, HasSubstr("APP_ARCHIVE=\n"));
    EXPECT_THAT(named, HasSubstr("APP_URL=https://example.org/b.tar.gz\n"));
    EXPECT_THAT(named, HasSubstr("APP_SHA256=" + kSum + "\n"));
}

TEST(Naming, ChangesNothingWhereTheReleaseIsNamed) {
    const std::string text = fmt::format("{}APP_ARCHIVE=/srv/a.tar.gz\nAPP_SHA256={}\n", kHead, kSum);
    EXPECT_EQ(naming(text, Settings::examine(text, "", {}).settings, {kSum, "/srv/a.tar.gz", "", ""}), text);
}

TEST(Names, IsByTheSumOrByAFileWithoutOne) {
    EXPECT_TRUE(names(settings_of("APP_ARCHIVE=/srv/a.tar.gz\n"), {kSum, "/srv/a.tar.gz", "", ""}));
    EXPECT_FALSE(names(settings_of("APP_ARCHIVE=/srv/b.tar.gz\n"), {kSum, "/srv/a.tar.gz", "", ""}));
    EXPECT_FALSE(
        names(settings_of("APP_ARCHIVE=/srv/a.tar.gz\nAPP_SHA256=" + kOther + "\n"), {kSum, "/srv/a.tar.gz", "", ""}));
    EXPECT_TRUE(names(settings_of("APP_URL=https://example.org/a\nAPP_SHA256=" + std::string(64, 'A') + "\n"),
                      {kSum, "", "", ""}));
    EXPECT_FALSE(names(settings_of(""), {kSum, "", "", ""}));
}

} // namespace
} // namespace commento
