#include "cert/store.hpp"

#include "folder.hpp"
#include "pairs.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::StartsWith;

mode_t mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
}

class Stored : public testing::Test {
  protected:
    Generation add() { return install(store_, make_pair_for(kDomain), {{Source::self_signed}}).value(); }

    std::vector<std::string> numbers() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(store_.generations()))
            names.push_back(entry.path().filename());
        std::ranges::sort(names);
        return names;
    }

    std::string live() const { return fs::read_symlink(store_.live()); }
    std::string stamp() const { return read_file(store_.stamp()).value(); }
    void remove(const fs::path& path) { ASSERT_GT(fs::remove_all(path), 0) << path; }

    Folder folder_;
    Store store_{folder_.path() / "tls", folder_.path() / "changed", folder_.path() / "signal"};
};

TEST_F(Stored, IsEmptyAtFirst) {
    EXPECT_FALSE(published(store_));
    EXPECT_EQ(repair(store_).value(), std::nullopt);
}

TEST_F(Stored, PublishesWhatIsInstalled) {
    const Generation made = add();
    EXPECT_EQ(made.name, "0001");
    EXPECT_EQ(made.key_type, "ecdsa-p256");
    EXPECT_THAT(made.names, ElementsAre(kDomain));
    EXPECT_EQ(live(), "generations/0001");
    EXPECT_EQ(stamp(), fmt::format("0001 {}\n", made.fingerprint));
    ASSERT_TRUE(published(store_));
    EXPECT_EQ(published(store_)->fingerprint, made.fingerprint);
    EXPECT_EQ(problem_with(Pair{read_file(store_.live() / "fullchain.pem").value(),
                                read_file(store_.live() / "privkey.pem").value()}),
              "");
}

TEST_F(Stored, LetsNobodyElseReadTheKey) {
    ::umask(0);
    add();
    EXPECT_EQ(mode_of(store_.live() / "privkey.pem"), 0600U);
    EXPECT_EQ(mode_of(store_.live() / "fullchain.pem"), 0644U);
    EXPECT_EQ(mode_of(store_.live()), 0755U);
    EXPECT_EQ(mode_of(store_.stamp()), 0644U);
    ::umask(022);
}

TEST_F(Stored, KeepsTheThreeNewestGenerations) {
    for (int i = 0; i < 5; ++i)
        add();
    EXPECT_THAT(numbers(), ElementsAre("0003", "0004", "0005"));
    EXPECT_EQ(live(), "generations/0005");
}

TEST_F(Stored, GoesOnCountingBehindFourDigits) {
    add();
    fs::rename(store_.generations() / "0001", store_.generations() / "9999");
    EXPECT_EQ(add().name, "10000");
    EXPECT_EQ(repair(store_).value()->name, "10000");
}

TEST_F(Stored, ARepairOfWhatIsRightWritesNothing) {
    add();
    add();
    const auto before = fs::last_write_time(store_.stamp());
    const auto tree = tree_of(store_.folder);
    ASSERT_TRUE(repair(store_));
    EXPECT_EQ(fs::last_write_time(store_.stamp()), before);
    EXPECT_EQ(tree_of(store_.folder), tree);
}

// The states that a kill leaves, in the order of install().

TEST_F(Stored, KilledWhileTheGenerationGrew) {
    const Generation former = add();
    fs::create_directory(store_.generations() / ".unfinished");
    ASSERT_TRUE(write_file(store_.generations() / ".unfinished" / "privkey.pem", "half", 0600));
    EXPECT_EQ(published(store_)->name, former.name);
    EXPECT_EQ(repair(store_).value()->name, former.name);
    EXPECT_THAT(numbers(), ElementsAre("0001"));
    EXPECT_EQ(add().name, "0002");
}

TEST_F(Stored, KilledBeforeTheLinkWasSwitched) {
    const Generation former = add();
    const std::string former_stamp = stamp();
    const Generation newest = add();
    ASSERT_TRUE(point_link(store_.live(), "generations/0001"));
    ASSERT_TRUE(write_file(store_.stamp(), former_stamp, 0644));
    EXPECT_EQ(published(store_)->name, former.name);
    EXPECT_EQ(repair(store_).value()->name, newest.name);
    EXPECT_EQ(published(store_)->name, newest.name);
}

TEST_F(Stored, KilledBeforeTheStampWasWritten) {
    add();
    const std::string former_stamp = stamp();
    const Generation newest = add();
    ASSERT_TRUE(write_file(store_.stamp(), former_stamp, 0644));
    EXPECT_FALSE(published(store_));
    EXPECT_EQ(repair(store_).value()->name, newest.name);
    EXPECT_THAT(stamp(), StartsWith("0002 "));
    EXPECT_EQ(published(store_)->name, newest.name);
}

TEST_F(Stored, KilledBeforeOldGenerationsWereRemoved) {
    for (int i = 0; i < 3; ++i)
        add();
    fs::copy(store_.generations() / "0003", store_.generations() / "0000", fs::copy_options::recursive);
    EXPECT_EQ(repair(store_).value()->name, "0003");
    add();
    EXPECT_THAT(numbers(), ElementsAre("0002", "0003", "0004"));
}

// What else may have happened to it.

TEST_F(Stored, FallsBackWhereTheNewestDoesNotMatch) {
    const Generation former = add();
    add();
    ASSERT_TRUE(write_file(store_.live() / "privkey.pem", make_pair_for(kDomain).key, 0600));
    EXPECT_EQ(repair(store_).value()->name, former.name);
    EXPECT_EQ(live(), "generations/0001");
    EXPECT_THAT(stamp(), StartsWith("0001 "));
    EXPECT_EQ(add().name, "0003");
}

TEST_F(Stored, FallsBackWhereAFileIsMissing) {
    const Generation former = add();
    for (const char* file : {"privkey.pem", "fullchain.pem", "info.json"}) {
        const Generation newest = add();
        remove(store_.generations() / newest.name / file);
        EXPECT_EQ(repair(store_).value()->name, former.name) << file;
        remove(store_.generations() / newest.name);
    }
}

TEST_F(Stored, FallsBackWhereInfoIsOfAnotherCertificate) {
    const Generation former = add();
    add();
    fs::copy_file(store_.generations() / "0001" / "info.json", store_.generations() / "0002" / "info.json",
                  fs::copy_options::overwrite_existing);
    EXPECT_EQ(repair(store_).value()->name, former.name);
}

TEST_F(Stored, FindsNothingGoodWhereAllIsBroken) {
    add();
    ASSERT_TRUE(write_file(store_.live() / "fullchain.pem", "", 0644));
    EXPECT_EQ(repair(store_).value(), std::nullopt);
    EXPECT_EQ(add().name, "0002");
    EXPECT_EQ(published(store_)->name, "0002");
}

TEST_F(Stored, RestoresALinkAndAStampThatAreGone) {
    const Generation made = add();
    remove(store_.live());
    EXPECT_FALSE(published(store_));
    EXPECT_EQ(repair(store_).value()->name, made.name);
    remove(store_.stamp());
    EXPECT_EQ(repair(store_).value()->name, made.name);
    EXPECT_TRUE(published(store_));
}

TEST_F(Stored, ALinkThatLeadsElsewhereIsNotPublished) {
    add();
    ASSERT_TRUE(point_link(store_.live(), "/etc"));
    EXPECT_FALSE(published(store_));
    EXPECT_EQ(repair(store_).value()->name, "0001");
    EXPECT_EQ(live(), "generations/0001");
}

TEST_F(Stored, HasRoomAndLeavesNoTraceOfTheTrial) {
    add();
    const auto tree = tree_of(store_.folder);
    EXPECT_TRUE(check_room(store_));
    EXPECT_EQ(tree_of(store_.folder), tree);
}

// What nginx did not serve.

TEST_F(Stored, SetAsideGivesWayToTheFormer) {
    const Generation former = add();
    const Generation newest = add();
    EXPECT_EQ(set_aside(store_, newest, "not served").value()->name, former.name);
    EXPECT_EQ(live(), "generations/0001");
    EXPECT_EQ(published(store_)->name, former.name);
    EXPECT_EQ(repair(store_).value()->name, former.name);
    EXPECT_EQ(find_set_aside(store_)->generation.name, newest.name);
}

TEST_F(Stored, SetAsideIsTakenUpAgain) {
    add();
    const Generation newest = add();
    ASSERT_TRUE(set_aside(store_, newest, "not served"));
    ASSERT_TRUE(take_up_again(store_, newest));
    EXPECT_EQ(published(store_)->name, newest.name);
    EXPECT_FALSE(find_set_aside(store_));
}

TEST_F(Stored, TheOnlyOneIsNotSetAside) {
    const Generation only = add();
    EXPECT_EQ(set_aside(store_, only, "not served").value(), std::nullopt);
    EXPECT_EQ(published(store_)->name, only.name);
    EXPECT_FALSE(find_set_aside(store_));
}

TEST_F(Stored, TheLiveOneIsKeptHoweverManyWereSetAside) {
    const Generation good = add();
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(set_aside(store_, add(), "not served"));
    EXPECT_EQ(live(), "generations/0001");
    EXPECT_EQ(published(store_)->name, good.name);
    EXPECT_THAT(numbers(), ElementsAre("0001", "0003", "0004", "0005"));
}

TEST_F(Stored, KilledAfterItWasSetAsideAndBeforeTheFormerWasPublished) {
    const Generation former = add();
    const Generation newest = add();
    ASSERT_TRUE(write_file(store_.generations() / newest.name / "set-aside", "not served\n", 0644));
    EXPECT_EQ(live(), "generations/0002");
    EXPECT_EQ(repair(store_).value()->name, former.name);
    EXPECT_EQ(live(), "generations/0001");
}

TEST_F(Stored, ARevocationIsRemembered) {
    add();
    ASSERT_TRUE(mark_revoked(store_, *published(store_)));
    EXPECT_TRUE(published(store_)->revoked);
    EXPECT_TRUE(repair(store_).value()->revoked);
}

TEST_F(Stored, EachPublicationGivesTheSignalBeforeTheStamp) {
    add();
    const std::string first = read_file(store_.signal).value();
    EXPECT_THAT(first, StartsWith("tls 0001 "));
    add();
    EXPECT_THAT(read_file(store_.signal).value(), StartsWith("tls 0002 "));
    // As after a kill between the two.
    ASSERT_TRUE(write_file(store_.signal, first, 0644));
    remove(store_.stamp());
    ASSERT_TRUE(repair(store_));
    EXPECT_THAT(read_file(store_.signal).value(), StartsWith("tls 0002 "));
}

} // namespace
} // namespace commento
