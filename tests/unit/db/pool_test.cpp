#include "db/pool.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kGigabyte = 1ULL << 30U;
constexpr int kUsualConnections = 97; // max_connections = 100, superuser_reserved_connections = 3

Settings settings_with(const std::string& line) {
    return Settings::examine("DOMAIN=comments.example.org\nEMAIL=you@example.org\n" + line, "", Paths{}).settings;
}

int size_for(std::uint64_t memory, int connections) {
    return pool_size(settings_with(""), memory, connections).value();
}

TEST(PoolSize, IsTwentyOnAUsualHost) { EXPECT_EQ(size_for(4 * kGigabyte, kUsualConnections), 20); }

TEST(PoolSize, LeavesMemoryToASmallHost) { EXPECT_EQ(size_for(kGigabyte / 2, kUsualConnections), 8); }

TEST(PoolSize, LeavesThreeQuartersOfTheClusterToOthers) { EXPECT_EQ(size_for(4 * kGigabyte, 40), 10); }

TEST(PoolSize, IsNeverLessThanTwo) {
    EXPECT_EQ(size_for(0, kUsualConnections), 2);
    EXPECT_EQ(size_for(4 * kGigabyte, 1), 2);
}

TEST(PoolSize, IsWhatTheSettingsSay) {
    EXPECT_EQ(pool_size(settings_with("DATABASE_POOL=64\n"), kGigabyte, kUsualConnections), 64);
}

TEST(PoolSize, RefusesMoreThanTheClusterTakesAndNamesTheLine) {
    const auto size = pool_size(settings_with("DATABASE_POOL=98\n"), kGigabyte, kUsualConnections);
    ASSERT_FALSE(size);
    EXPECT_EQ(size.error().code, ErrorCode::settings);
    EXPECT_THAT(size.error().message, HasSubstr("commento-stack.conf:3: DATABASE_POOL is 98"));
    EXPECT_THAT(size.error().message, HasSubstr("no more than 97"));
}

TEST(PoolConfig, LeadsToTheClusterAndListensOnNothingButItsSocket) {
    const std::string config =
        pool_config(Paths{}, database_server(Paths{}, settings_with("DATABASE_PORT=5433\n")), 12);
    EXPECT_THAT(config, HasSubstr("[databases]\ncommento = host='/var/run/postgresql' port=5433 dbname='commento' "
                                  "user='commento-db'\n"));
    EXPECT_THAT(config, HasSubstr("unix_socket_dir = /run/commento-db-pool\n"));
    EXPECT_THAT(config, HasSubstr("default_pool_size = 12\n"));
    EXPECT_THAT(config, Not(HasSubstr("listen_addr")));
    EXPECT_THAT(config, Not(HasSubstr("%include")));
}

constexpr const char* kElsewhere =
    "DATABASE_URL=postgresql://comments@a.example.org:5433,b.example.org/blog?sslrootcert=/ca.pem\n";

TEST(PoolConfig, ChecksWhoAServerElsewhereIsAndLeavesToAFileWhichOneItIs) {
    const std::string config = pool_config(Paths{}, database_server(Paths{}, settings_with(kElsewhere)), 12);
    EXPECT_THAT(config, HasSubstr("server_tls_sslmode = verify-full\nserver_tls_ca_file = /ca.pem\n"));
    EXPECT_THAT(config, HasSubstr("%include /run/commento-db-follow/primary.ini\n"));
    EXPECT_THAT(config, Not(HasSubstr("[databases]")));
}

TEST(PoolConfig, IsToldFromThatOfAnotherServer) {
    const DatabaseServer here = database_server(Paths{}, settings_with(""));
    const DatabaseServer on_other_port = database_server(Paths{}, settings_with("DATABASE_PORT=5433\n"));
    const DatabaseServer elsewhere = database_server(Paths{}, settings_with(kElsewhere));
    EXPECT_TRUE(leads_there(pool_config(Paths{}, here, 12), Paths{}, here));
    EXPECT_TRUE(leads_there(pool_config(Paths{}, here, 20), Paths{}, here));
    EXPECT_FALSE(leads_there(pool_config(Paths{}, here, 12), Paths{}, on_other_port));
    EXPECT_FALSE(leads_there(pool_config(Paths{}, here, 12), Paths{}, elsewhere));
    EXPECT_FALSE(leads_there(pool_config(Paths{}, elsewhere, 12), Paths{}, here));
}

TEST(PoolTarget, HoldsThePasswordWhateverIsInIt) {
    DatabaseServer server = database_server(Paths{}, settings_with(kElsewhere));
    server.password = "it's = \\ secret";
    EXPECT_EQ(
        pool_target(server, server.hosts.at(1)),
        "[databases]\ncommento = host='b.example.org' port=5432 dbname='blog' user='comments' password='it''s = \\ "
        "secret'\n");
}

} // namespace
} // namespace commento
