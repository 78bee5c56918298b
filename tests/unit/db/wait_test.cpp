#include "db/wait.hpp"

#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;

TEST(DataFolder, IsTheSecondLineOfTheSocketsLock) {
    EXPECT_EQ(data_folder("4711\n/var/lib/postgresql/15/main\n1700000000\n5432\n/var/run/postgresql\n"),
              "/var/lib/postgresql/15/main");
}

TEST(DataFolder, IsNothingInALockThatIsNotWrittenYet) {
    EXPECT_EQ(data_folder(""), std::nullopt);
    EXPECT_EQ(data_folder("4711\n"), std::nullopt);
    EXPECT_EQ(data_folder("4711"), std::nullopt);
}

DatabaseServer cluster_in(const std::filesystem::path& sockets, int port) {
    DatabaseServer server = database_server(Paths{}, Settings::examine("", "", Paths{}).settings);
    server.hosts = {{sockets, port}};
    return server;
}

TEST(WaitForServer, EndsWithAHintWhereNoServerEverCame) {
    const Folder folder;
    const auto waited = wait_for_server(Paths{}, cluster_in(folder.path(), 5444), std::chrono::milliseconds(20));
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().code, ErrorCode::database);
    EXPECT_EQ(waited.error().message, "PostgreSQL does not answer on " + (folder / ".s.PGSQL.5444").string());
    EXPECT_THAT(waited.error().hint, HasSubstr("DATABASE_PORT"));
}

TEST(WaitForServer, DoesNotWaitWhereThereIsNoFolderForSockets) {
    const auto waited = wait_for_server(Paths{}, cluster_in("/nonexistent/postgresql", 5432), std::chrono::hours(1));
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().code, ErrorCode::database);
}

} // namespace
} // namespace commento
