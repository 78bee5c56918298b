#include "ctl/database.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string hint_on(const std::string& distribution) {
    const Folder host;
    const Paths paths{host.path()};
    std::filesystem::create_directory(host / "etc");
    EXPECT_TRUE(write_file(host / "etc/os-release", "ID=" + distribution + "\n", 0644));
    const auto found = ask_database(paths, Settings::examine("", "", paths).settings);
    return found ? "a database is there" : found.error().hint;
}

TEST(AskDatabase, NamesTheCommandOfTheHostThatShowsWhetherAClusterRuns) {
    EXPECT_THAT(hint_on("debian"), HasSubstr("pg_lsclusters shows it"));
    EXPECT_THAT(hint_on("fedora"), HasSubstr("systemctl status postgresql shows it"));
    EXPECT_THAT(hint_on("fedora"), Not(HasSubstr("pg_lsclusters")));
}

} // namespace
} // namespace commento
