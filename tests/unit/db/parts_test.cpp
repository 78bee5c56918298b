#include "db/parts.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

constexpr int kPool = 20;

DatabaseServer own() { return database_server(Paths{}, Settings::examine("", "", Paths{}).settings); }

DatabaseServer elsewhere(const std::string& role = "comments", const std::string& database = "blog") {
    DatabaseServer server = own();
    server.is_own = false;
    server.owner = server.pool_role = server.backup_role = role;
    server.database = database;
    return server;
}

std::vector<std::string> repairs_of(const std::vector<Part>& parts) {
    std::vector<std::string> repairs;
    for (const auto& part : parts)
        repairs.push_back(part.repair);
    return repairs;
}

std::vector<Part> all_parts(const DatabaseServer& server) {
    std::vector<Part> parts = server.is_own ? parts_of_own_cluster(server, kPool) : parts_of_role(server, kPool, "v");
    for (const auto& more : {parts_of_server(server), parts_of_database(server)})
        parts.insert(parts.end(), more.begin(), more.end());
    return parts;
}

TEST(CreateDatabase, AsksForAnOrderOfTextThatStaysInTheHostsOwnClusterOnly) {
    EXPECT_EQ(create_database(own(), "commento"), "CREATE DATABASE \"commento\" OWNER \"commento\" TEMPLATE template0 "
                                                  "ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'");
    EXPECT_EQ(create_database(elsewhere(), "blog_verify"),
              "CREATE DATABASE \"blog_verify\" OWNER \"comments\" TEMPLATE template0 ENCODING 'UTF8'");
}

TEST(CreateDatabase, TakesNamesWithQuotesAsNames) {
    EXPECT_THAT(create_database(elsewhere("o\"r", "d"), "d\"; DROP DATABASE \"x"),
                HasSubstr("CREATE DATABASE \"d\"\"; DROP DATABASE \"\"x\" OWNER \"o\"\"r\" "));
}

TEST(Parts, TakeNamesWithQuotesAsNames) {
    const DatabaseServer server = elsewhere("o'r\"", "d'b\"");
    for (const auto& part : all_parts(server)) {
        // What is a name there and what is a text; neither as it is.
        for (const auto& statement : {part.test, part.repair})
            EXPECT_THAT(statement, AllOf(Not(HasSubstr("'o'r\"'")), Not(HasSubstr("\"o'r\"\" ")),
                                         Not(HasSubstr("'d'b\"'")), Not(HasSubstr("\"d'b\"\" "))))
                << part.what;
    }
    EXPECT_THAT(repairs_of(parts_of_role(server, kPool, "v")), Contains("ALTER ROLE \"o'r\"\"\" CREATEDB"));
    EXPECT_THAT(parts_of_role(server, kPool, "v").front().test, HasSubstr("rolname = 'o''r\"'"));
    EXPECT_THAT(parts_of_server(server).back().test, HasSubstr("datname = 'd''b\"'"));
    EXPECT_THAT(repairs_of(parts_of_database(server)), Contains(testing::EndsWith(" TO \"o'r\"\"\"")));
}

TEST(PartsOfRole, GiveItTheVerifierAndTheRightToMakeDatabasesAndALimit) {
    EXPECT_THAT(repairs_of(parts_of_role(elsewhere(), kPool, "SCRAM-SHA-256$4096:s'alt$k:k")),
                ElementsAre("CREATE ROLE \"comments\" LOGIN PASSWORD 'SCRAM-SHA-256$4096:s''alt$k:k'",
                            "ALTER ROLE \"comments\" CREATEDB", "ALTER ROLE \"comments\" CONNECTION LIMIT 30"));
}

TEST(PartsOfRole, NameTheVerifierInNoMessageAndNoTest) {
    for (const auto& part : parts_of_role(elsewhere(), kPool, "v3rifier")) {
        EXPECT_THAT(part.what, Not(HasSubstr("v3rifier")));
        EXPECT_THAT(part.test, Not(HasSubstr("v3rifier")));
    }
}

TEST(PartsOfServer, GoOnWithoutTheRightToMakeDatabases) {
    const auto parts = parts_of_server(elsewhere());
    ASSERT_FALSE(parts.empty());
    EXPECT_EQ(parts.front().repair, "ALTER ROLE \"comments\" CREATEDB");
    EXPECT_TRUE(parts.front().can_be_missed);
    EXPECT_THAT(parts.front().what, HasSubstr("verifying and restoring backups"));
    EXPECT_FALSE(parts.back().can_be_missed) << "without the database nothing goes on";
}

TEST(PartsOfServer, MakeNoRole) {
    EXPECT_THAT(repairs_of(parts_of_server(elsewhere())), Each(Not(HasSubstr("CREATE ROLE"))));
}

TEST(PartsOfOwnCluster, HaveARoleForEachUserAndNoPassword) {
    const auto parts = parts_of_own_cluster(own(), kPool);
    EXPECT_THAT(repairs_of(parts),
                AllOf(Contains("CREATE ROLE \"commento\" LOGIN"), Contains("CREATE ROLE \"commento-db\" LOGIN"),
                      Contains("CREATE ROLE \"commento-backup\" LOGIN"),
                      Contains("CREATE ROLE \"commento-metrics\" LOGIN"),
                      Contains("ALTER ROLE \"commento-db\" SET role TO 'commento'"), Each(Not(HasSubstr("PASSWORD")))));
    EXPECT_THAT(parts, Each(Field(&Part::can_be_missed, false)));
}

} // namespace
} // namespace commento
