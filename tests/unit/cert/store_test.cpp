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

class Store : public testing::Test {
  protected:
    Generation add() { return install(paths_, make_pair_for(kDomain), {Source::self_signed}).value(); }

    std::vector<std::string> numbers() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(paths_.tls_generations()))
            names.push_back(entry.path().filename());
        std::ranges::sort(names);
        return names;
    }

    std::string live() const { return fs::read_symlink(paths_.tls_live()); }
    std::string stamp() const { return read_file(paths_.tls_stamp()).value(); }
    void remove(const fs::path& path) { ASSERT_GT(fs::remove_all(path), 0) << path; }

    Folder folder_;
    Paths paths_{folder_.path()};
};

TEST_F(Store, IsEmptyAtFirst) {
    EXPECT_FALSE(published(paths_));
    EXPECT_EQ(repair(paths_).value(), std::nullopt);
}

TEST_F(Store, PublishesWhatIsInstalled) {
    const Generation made = add();
    EXPECT_EQ(made.name, "0001");
    EXPECT_EQ(made.key_type, "ecdsa-p256");
    EXPECT_THAT(made.names, ElementsAre(kDomain));
    EXPECT_EQ(live(), "generations/0001");
    EXPECT_EQ(stamp(), fmt::format("0001 {}\n", made.fingerprint));
    ASSERT_TRUE(published(paths_));
    EXPECT_EQ(published(paths_)->fingerprint, made.fingerprint);
    EXPECT_EQ(problem_with(Pair{read_file(paths_.tls_chain()).value(), read_file(paths_.tls_key()).value()}), "");
}

TEST_F(Store, LetsNobodyElseReadTheKey) {
    ::umask(0);
    add();
    EXPECT_EQ(mode_of(paths_.tls_key()), 0600U);
    EXPECT_EQ(mode_of(paths_.tls_chain()), 0644U);
    EXPECT_EQ(mode_of(paths_.tls_live()), 0755U);
    EXPECT_EQ(mode_of(paths_.tls_stamp()), 0644U);
    ::umask(022);
}

TEST_F(Store, KeepsTheThreeNewestGenerations) {
    for (int i = 0; i < 5; ++i)
        add();
    EXPECT_THAT(numbers(), ElementsAre("0003", "0004", "0005"));
    EXPECT_EQ(live(), "generations/0005");
}

TEST_F(Store, GoesOnCountingBehindFourDigits) {
    add();
    fs::rename(paths_.tls_generations() / "0001", paths_.tls_generations() / "9999");
    EXPECT_EQ(add().name, "10000");
    EXPECT_EQ(repair(paths_).value()->name, "10000");
}

TEST_F(Store, ARepairOfWhatIsRightWritesNothing) {
    add();
    add();
    const auto before = fs::last_write_time(paths_.tls_stamp());
    const auto tree = tree_of(paths_.tls());
    ASSERT_TRUE(repair(paths_));
    EXPECT_EQ(fs::last_write_time(paths_.tls_stamp()), before);
    EXPECT_EQ(tree_of(paths_.tls()), tree);
}

// The states that a kill leaves, in the order of install().

TEST_F(Store, KilledWhileTheGenerationGrew) {
    const Generation former = add();
    fs::create_directory(paths_.tls_generations() / ".unfinished");
    ASSERT_TRUE(write_file(paths_.tls_generations() / ".unfinished" / "privkey.pem", "half", 0600));
    EXPECT_EQ(published(paths_)->name, former.name);
    EXPECT_EQ(repair(paths_).value()->name, former.name);
    EXPECT_THAT(numbers(), ElementsAre("0001"));
    EXPECT_EQ(add().name, "0002");
}

TEST_F(Store, KilledBeforeTheLinkWasSwitched) {
    const Generation former = add();
    const std::string former_stamp = stamp();
    const Generation newest = add();
    ASSERT_TRUE(point_link(paths_.tls_live(), "generations/0001"));
    ASSERT_TRUE(write_file(paths_.tls_stamp(), former_stamp, 0644));
    EXPECT_EQ(published(paths_)->name, former.name);
    EXPECT_EQ(repair(paths_).value()->name, newest.name);
    EXPECT_EQ(published(paths_)->name, newest.name);
}

TEST_F(Store, KilledBeforeTheStampWasWritten) {
    add();
    const std::string former_stamp = stamp();
    const Generation newest = add();
    ASSERT_TRUE(write_file(paths_.tls_stamp(), former_stamp, 0644));
    EXPECT_FALSE(published(paths_));
    EXPECT_EQ(repair(paths_).value()->name, newest.name);
    EXPECT_THAT(stamp(), StartsWith("0002 "));
    EXPECT_EQ(published(paths_)->name, newest.name);
}

TEST_F(Store, KilledBeforeOldGenerationsWereRemoved) {
    for (int i = 0; i < 3; ++i)
        add();
    fs::copy(paths_.tls_generations() / "0003", paths_.tls_generations() / "0000", fs::copy_options::recursive);
    EXPECT_EQ(repair(paths_).value()->name, "0003");
    add();
    EXPECT_THAT(numbers(), ElementsAre("0002", "0003", "0004"));
}

// What else may have happened to it.

TEST_F(Store, FallsBackWhereTheNewestDoesNotMatch) {
    const Generation former = add();
    add();
    ASSERT_TRUE(write_file(paths_.tls_key(), make_pair_for(kDomain).key, 0600));
    EXPECT_EQ(repair(paths_).value()->name, former.name);
    EXPECT_EQ(live(), "generations/0001");
    EXPECT_THAT(stamp(), StartsWith("0001 "));
    EXPECT_EQ(add().name, "0003");
}

TEST_F(Store, FallsBackWhereAFileIsMissing) {
    const Generation former = add();
    for (const char* file : {"privkey.pem", "fullchain.pem", "info.json"}) {
        const Generation newest = add();
        remove(paths_.tls_generations() / newest.name / file);
        EXPECT_EQ(repair(paths_).value()->name, former.name) << file;
        remove(paths_.tls_generations() / newest.name);
    }
}

TEST_F(Store, FallsBackWhereInfoIsOfAnotherCertificate) {
    const Generation former = add();
    add();
    fs::copy_file(paths_.tls_generations() / "0001" / "info.json", paths_.tls_generations() / "0002" / "info.json",
                  fs::copy_options::overwrite_existing);
    EXPECT_EQ(repair(paths_).value()->name, former.name);
}

TEST_F(Store, FindsNothingGoodWhereAllIsBroken) {
    add();
    ASSERT_TRUE(write_file(paths_.tls_chain(), "", 0644));
    EXPECT_EQ(repair(paths_).value(), std::nullopt);
    EXPECT_EQ(add().name, "0002");
    EXPECT_EQ(published(paths_)->name, "0002");
}

TEST_F(Store, RestoresALinkAndAStampThatAreGone) {
    const Generation made = add();
    remove(paths_.tls_live());
    EXPECT_FALSE(published(paths_));
    EXPECT_EQ(repair(paths_).value()->name, made.name);
    remove(paths_.tls_stamp());
    EXPECT_EQ(repair(paths_).value()->name, made.name);
    EXPECT_TRUE(published(paths_));
}

TEST_F(Store, ALinkThatLeadsElsewhereIsNotPublished) {
    add();
    ASSERT_TRUE(point_link(paths_.tls_live(), "/etc"));
    EXPECT_FALSE(published(paths_));
    EXPECT_EQ(repair(paths_).value()->name, "0001");
    EXPECT_EQ(live(), "generations/0001");
}

TEST_F(Store, HasRoomAndLeavesNoTraceOfTheTrial) {
    add();
    const auto tree = tree_of(paths_.tls());
    EXPECT_TRUE(check_room(paths_));
    EXPECT_EQ(tree_of(paths_.tls()), tree);
}

} // namespace
} // namespace commento
