#include "base/host_facts.hpp"

#include "root.hpp"

#include <array>
#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

/// A host's files, as far as they say what it is.
class Host : public Root {
  public:
    explicit Host(const std::string& release) { add("etc/os-release", release); }
};

constexpr const char* kDebian = "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\n";
constexpr const char* kUbuntu = "NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n";
constexpr const char* kFedora = "NAME=\"Fedora Linux\"\nID=fedora\nVERSION_ID=44\n";
// As EL and what is made from it has them.
constexpr std::array kOfEl{"ID=\"rhel\"\nID_LIKE=\"fedora\"\n", "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
                           "ID=\"centos\"\nID_LIKE=\"rhel fedora\"\n", "ID='ol'\nID_LIKE='fedora'\n"};

TEST(HostFacts, FamilyIsWhatTheReleaseComesFrom) {
    EXPECT_EQ(host_facts(Host(kDebian).paths()).family, Family::debian);
    EXPECT_EQ(host_facts(Host(kUbuntu).paths()).family, Family::debian);
    EXPECT_EQ(host_facts(Host(kFedora).paths()).family, Family::fedora);
    for (const char* release : kOfEl)
        EXPECT_EQ(host_facts(Host(release).paths()).family, Family::fedora) << release;
}

TEST(HostFacts, FamilyIsNoPartOfAWord) {
    EXPECT_EQ(host_facts(Host("ID=notfedora\nID_LIKE=rhelish\n").paths()).family, Family::debian);
}

TEST(HostFacts, FamilyIsDebiansWhereNothingIsSaid) {
    EXPECT_EQ(host_facts(Paths{"/nonexistent"}).family, Family::debian);
}

TEST(HostFacts, OfDebian) {
    const Host root(kDebian);
    root.add("etc/ssl/certs/ca-certificates.crt");
    root.add("etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"); // somebody's copy
    const HostFacts facts = host_facts(root.paths());
    EXPECT_EQ(facts.authorities, root / "etc/ssl/certs/ca-certificates.crt");
    EXPECT_EQ(facts.clusters, root / "var/lib/postgresql");
    EXPECT_EQ(facts.postgres_log, root / "var/log/postgresql");
    EXPECT_EQ(facts.show_clusters, "pg_lsclusters");
    EXPECT_THAT(facts.install("postgresql"), ElementsAre("apt-get", "install", "postgresql"));
    EXPECT_THAT(facts.reinstall("nginx"), ElementsAre("apt-get", "install", "-y", "--reinstall", "nginx"));
    EXPECT_THAT(facts.upgrade("nginx"), ElementsAre("apt-get", "install", "--only-upgrade", "nginx"));
    EXPECT_THAT(facts.verify("nginx"), ElementsAre("dpkg", "--verify", "nginx"));
}

TEST(HostFacts, OfFedora) {
    const Host root(kFedora);
    root.add("etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem");
    const HostFacts facts = host_facts(root.paths());
    EXPECT_EQ(facts.authorities, root / "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem");
    EXPECT_EQ(facts.clusters, root / "var/lib/pgsql");
    EXPECT_EQ(facts.postgres_log, root / "var/lib/pgsql/data/log");
    EXPECT_EQ(facts.show_clusters, "systemctl status postgresql");
    EXPECT_THAT(facts.install("postgresql"), ElementsAre("dnf", "install", "postgresql"));
    EXPECT_THAT(facts.reinstall("nginx"), ElementsAre("dnf", "reinstall", "-y", "nginx"));
    EXPECT_THAT(facts.upgrade("nginx"), ElementsAre("dnf", "upgrade", "nginx"));
    EXPECT_THAT(facts.verify("nginx"), ElementsAre("rpm", "--verify", "--nomtime", "--noconfig", "nginx"));
}

TEST(HostFacts, NamesNoAuthoritiesWhereTheyAreMissing) {
    EXPECT_THAT(host_facts(Host(kDebian).paths()).authorities.string(), IsEmpty());
    EXPECT_THAT(host_facts(Host(kFedora).paths()).authorities.string(), IsEmpty());
}

TEST(HostFacts, ProgramsOfPostgresqlAreTheServersVersionWhereDebianHasIt) {
    const Host root(kDebian);
    root.add("usr/lib/postgresql/17/bin/pg_dump");
    const HostFacts facts = host_facts(root.paths());
    EXPECT_EQ(facts.postgres_program("pg_dump", 17), root / "usr/lib/postgresql/17/bin/pg_dump");
    EXPECT_EQ(facts.postgres_program("pg_dump", 15), "pg_dump");
}

TEST(HostFacts, ProgramsOfPostgresqlAreTheOneThatFedoraHas) {
    const Host root(kFedora);
    EXPECT_EQ(host_facts(root.paths()).postgres_program("pg_dump", 16), "pg_dump");
}

TEST(OsRelease, IsReadWithoutQuotes) {
    EXPECT_THAT(
        os_release(Host("# comment\n\nID=fedora\nNAME=\"Fedora Linux\"\nVARIANT='Server Edition'\nODD=\"\n").paths()),
        UnorderedElementsAre(Pair("ID", "fedora"), Pair("NAME", "Fedora Linux"), Pair("VARIANT", "Server Edition"),
                             Pair("ODD", "\"")));
}

TEST(OsRelease, IsTheDistributionsOwnWhereTheHostHasNone) {
    const Host root("ID=fedora\n");
    std::filesystem::create_directories(root / "usr/lib");
    std::filesystem::rename(root / "etc/os-release", root / "usr/lib/os-release");
    EXPECT_EQ(host_facts(root.paths()).family, Family::fedora);
}

} // namespace
} // namespace commento
