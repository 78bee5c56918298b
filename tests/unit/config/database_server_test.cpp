#include "config/database_server.hpp"

#include "root.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

constexpr const char* kLeast = "DOMAIN=comments.example.org\nEMAIL=you@example.org\n";

Settings settings_with(const std::string& more, const std::string& secrets = "") {
    const auto examined = Settings::examine(kLeast + more, secrets, Paths{});
    EXPECT_THAT(examined.faults, IsEmpty()) << to_string(examined.faults.front());
    return examined.settings;
}

DatabaseServer server_at(const std::string& url, const Paths& paths = Paths{"/nonexistent"}) {
    return database_server(paths, settings_with("DATABASE_URL=" + url + "\n"));
}

constexpr const char* kOfDebian = "etc/ssl/certs/ca-certificates.crt";

TEST(DatabaseServer, IsTheHostsOwnClusterWhereNoOtherIsNamed) {
    const DatabaseServer server = database_server(Paths{}, settings_with("DATABASE_PORT=5433\n"));
    EXPECT_TRUE(server.is_own);
    EXPECT_THAT(server.hosts, ElementsAre(DatabaseHost{Paths{}.postgres_sockets(), 5433}));
    EXPECT_EQ(server.database, "commento");
    EXPECT_EQ(server.owner, "commento");
    EXPECT_EQ(server.pool_role, "commento-db");
    EXPECT_EQ(server.backup_role, "commento-backup");
    EXPECT_THAT(server.password, IsEmpty());
}

TEST(DatabaseServer, OfTheHostIsGivenNoPassword) {
    const auto settings = settings_with("", "DATABASE_PASSWORD=s3cret\n");
    EXPECT_THAT(database_server(Paths{}, settings).password, IsEmpty());
}

TEST(DatabaseServer, ElsewhereHasOneRoleForEverything) {
    const auto settings =
        settings_with("DATABASE_URL=postgresql://comments@db.example.org/blog\n", "DATABASE_PASSWORD=s3cret\n");
    const DatabaseServer server = database_server(Paths{}, settings);
    EXPECT_FALSE(server.is_own);
    EXPECT_EQ(server.database, "blog");
    EXPECT_EQ(server.owner, "comments");
    EXPECT_EQ(server.pool_role, "comments");
    EXPECT_EQ(server.backup_role, "comments");
    EXPECT_EQ(server.password, "s3cret");
    EXPECT_EQ(server.session_attributes, "read-write");
}

TEST(DatabaseServer, IsCheckedByNameUnlessItIsThisHost) {
    EXPECT_EQ(server_at("postgresql://u@db.example.org/blog").tls_mode, "verify-full");
    EXPECT_EQ(server_at("postgresql://u@192.0.2.7/blog").tls_mode, "verify-full");
    EXPECT_EQ(server_at("postgresql://u@localhost/blog").tls_mode, "prefer");
    EXPECT_EQ(server_at("postgresql://u@127.0.0.2/blog").tls_mode, "prefer");
    EXPECT_EQ(server_at("postgresql://u@[::1]/blog").tls_mode, "prefer");
    EXPECT_EQ(server_at("postgresql://u@/blog?host=/run/postgresql").tls_mode, "prefer");
}

TEST(DatabaseServer, IsNotThisHostBecauseItsNameBeginsLikeALoopbackAddress) {
    EXPECT_EQ(server_at("postgresql://u@127.example.org/blog").tls_mode, "verify-full");
    EXPECT_EQ(server_at("postgresql://u@localhost.example.org/blog").tls_mode, "verify-full");
}

TEST(DatabaseServer, IsCheckedWhereOneOfItsHostsIsElsewhere) {
    EXPECT_EQ(server_at("postgresql://u@localhost,db.example.org/blog").tls_mode, "verify-full");
}

TEST(DatabaseServer, IsCheckedAsTheAddressSays) {
    const DatabaseServer server = server_at("postgresql://u@db.example.org/blog?sslmode=require");
    EXPECT_EQ(server.tls_mode, "require");
    EXPECT_THAT(server.authorities, IsEmpty());
    EXPECT_EQ(server_at("postgresql://u@localhost/blog?sslmode=verify-full").tls_mode, "verify-full");
    EXPECT_EQ(server_at("postgresql://u@db.example.org/blog?target_session_attrs=primary").session_attributes,
              "primary");
}

TEST(DatabaseServer, IsCheckedAgainstTheAuthoritiesOfTheSystem) {
    const Root root;
    root.add(kOfDebian);
    EXPECT_EQ(server_at("postgresql://u@db.example.org/blog", root.paths()).authorities,
              (root.paths().root / kOfDebian).string());
    EXPECT_THAT(server_at("postgresql://u@localhost/blog", root.paths()).authorities, IsEmpty());
}

TEST(DatabaseServer, IsCheckedAgainstTheAuthorityThatTheAddressNames) {
    const Root root;
    root.add(kOfDebian);
    EXPECT_EQ(server_at("postgresql://u@db.example.org/blog?sslrootcert=/ca.pem", root.paths()).authorities, "/ca.pem");
}

TEST(DatabaseServer, HasNoAuthoritiesWhereTheSystemHasNone) {
    const DatabaseServer server = server_at("postgresql://u@db.example.org/blog");
    EXPECT_EQ(server.tls_mode, "verify-full");
    EXPECT_THAT(server.authorities, IsEmpty());
}

TEST(DatabaseServer, IsNamedByItsHostsAndPorts) {
    EXPECT_EQ(to_string(server_at("postgresql://u@a.example.org:5433,[::1]/blog")),
              "a.example.org port 5433, ::1 port 5432");
    EXPECT_EQ(to_string(server_at("postgresql://u@/blog?host=/run/postgresql")), "/run/postgresql/.s.PGSQL.5432");
}

TEST(DatabaseAdmin, IsWhoTheSecretNamesWithThePasswordInIt) {
    const auto settings = settings_with("DATABASE_URL=postgresql://comments@db.example.org/blog\n",
                                        "DATABASE_PASSWORD=s3cret\n"
                                        "DATABASE_ADMIN_URL=postgresql://postgres:t0p@db.example.org:5433/postgres\n");
    const auto admin = database_admin(Paths{}, settings);
    ASSERT_TRUE(admin);
    EXPECT_FALSE(admin->is_own);
    EXPECT_EQ(admin->owner, "postgres");
    EXPECT_EQ(admin->database, "postgres");
    EXPECT_EQ(admin->password, "t0p");
    EXPECT_THAT(admin->hosts, ElementsAre(DatabaseHost{"db.example.org", 5433}));
    EXPECT_EQ(admin->tls_mode, "verify-full");
}

TEST(DatabaseAdmin, IsNotGivenThePasswordOfTheApplicationsRole) {
    const auto settings = settings_with("DATABASE_URL=postgresql://comments@db.example.org/blog\n",
                                        "DATABASE_PASSWORD=s3cret\n"
                                        "DATABASE_ADMIN_URL=postgresql://postgres@db.example.org/postgres\n");
    EXPECT_THAT(database_admin(Paths{}, settings)->password, IsEmpty());
}

TEST(DatabaseAdmin, IsNobodyWhereNoneIsNamed) {
    EXPECT_FALSE(database_admin(Paths{}, settings_with("")));
    EXPECT_FALSE(database_admin(Paths{}, settings_with("DATABASE_URL=postgresql://comments@db.example.org/blog\n")));
}

TEST(ConnectionWords, NameEveryHostWithItsPortAndHowItIsChecked) {
    const auto words =
        connection_words(server_at("postgresql://comments@a.example.org:5433,b.example.org/blog?sslrootcert=/ca.pem"),
                         "someone", "other");
    EXPECT_THAT(words, AllOf(Contains(Pair("host", "a.example.org,b.example.org")), Contains(Pair("port", "5433,5432")),
                             Contains(Pair("user", "someone")), Contains(Pair("dbname", "other")),
                             Contains(Pair("target_session_attrs", "read-write")),
                             Contains(Pair("sslmode", "verify-full")), Contains(Pair("sslrootcert", "/ca.pem"))));
}

TEST(ConnectionWords, HaveNoAuthoritiesWhereNothingIsChecked) {
    EXPECT_THAT(connection_words(server_at("postgresql://u@localhost/blog"), "u", "blog"),
                Not(Contains(Key("sslrootcert"))));
}

TEST(ConnectionWords, NeverHoldThePassword) {
    DatabaseServer server = server_at("postgresql://u@db.example.org/blog");
    server.password = "s3cret";
    for (const auto& [keyword, value] : connection_words(server, "u", "blog"))
        EXPECT_THAT(value, Not(HasSubstr("s3cret"))) << keyword;
}

} // namespace
} // namespace commento
