#include "db/host_clusters.hpp"

#include "folder.hpp"

#include <fstream>
#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// As pg_lsclusters --no-header of Debian 13 prints it.
constexpr const char* kTwo =
    "15  main    5432 online        postgres /var/lib/postgresql/15/main /var/log/postgresql/postgresql-15-main.log\n"
    "9.6 archive 5433 down,recovery alice    /srv/pg /var/log/postgresql/postgresql-9.6-archive.log\n";

TEST(ParseClusters, TakesTheColumnsOfEachLine) {
    const auto clusters = parse_clusters(kTwo).value();

    EXPECT_THAT(clusters,
                ElementsAre(HostCluster{15, "main", 5432, "online", "postgres", "/var/lib/postgresql/15/main"},
                            HostCluster{9, "archive", 5433, "down,recovery", "alice", "/srv/pg"}));
    EXPECT_EQ(clusters[0].label(), "15/main");
    EXPECT_TRUE(clusters[0].is_online());
    EXPECT_FALSE(clusters[1].is_online());
    EXPECT_TRUE(clusters[1].is_standby());
}

TEST(ParseClusters, OfAHostWithoutAnyIsEmpty) { EXPECT_THAT(parse_clusters("").value(), IsEmpty()); }

TEST(ParseClusters, RefusesWhatItDoesNotUnderstand) {
    for (const char* text :
         {"main 15 5432\n", "15 main\n", "Ver Cluster Port Status Owner Data directory Log file\n"}) {
        const auto clusters = parse_clusters(text);
        ASSERT_FALSE(clusters) << text;
        EXPECT_EQ(clusters.error().code, ErrorCode::database);
        EXPECT_THAT(clusters.error().message, HasSubstr("pg_lsclusters"));
    }
}

TEST(ParseClusters, TakesAPortThatIsUnknown) {
    EXPECT_EQ(parse_clusters("15 main <unknown> down postgres <unknown> <unknown>\n").value()[0].port, 0);
}

TEST(FindCluster, GoesByVersionAndName) {
    const auto clusters = parse_clusters(kTwo).value();

    EXPECT_EQ(find_cluster(clusters, 15, "main"), &clusters[0]);
    EXPECT_EQ(find_cluster(clusters, 15, "archive"), nullptr);
    EXPECT_EQ(find_cluster(clusters, 17, "main"), nullptr);
}

TEST(InstalledVersions, AreThoseWithAServerLowestFirst) {
    const Folder root;
    for (const char* version : {"17", "9.6", "15", "16", "lib"})
        std::filesystem::create_directories(root / "usr/lib/postgresql" / version / "bin");
    for (const char* version : {"17", "15", "lib"})
        std::ofstream(root / "usr/lib/postgresql" / version / "bin/postgres");

    EXPECT_THAT(installed_versions(Paths{root.path()}), ElementsAre(15, 17));
}

TEST(HostClusters, AreNotToBeHadWhereTheHostIsNoDebian) {
    const Folder root;

    const auto clusters = host_clusters(Paths{root.path()});

    ASSERT_FALSE(clusters);
    EXPECT_EQ(clusters.error().code, ErrorCode::database);
    EXPECT_THAT(clusters.error().hint, HasSubstr("pg_upgrade"));
}

} // namespace
} // namespace commento
