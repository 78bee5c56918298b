#include "config/database_url.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

DatabaseUrl parsed(const std::string& text) {
    const auto url = parse_database_url(text);
    EXPECT_TRUE(url) << text << " " << (url ? "" : url.error());
    return url.value_or(DatabaseUrl{});
}

std::string problem_with(const std::string& text) {
    const auto url = parse_database_url(text);
    EXPECT_FALSE(url) << text;
    return url ? "" : url.error();
}

TEST(DatabaseUrl, NeedsNoMoreThanUserHostAndDatabase) {
    const DatabaseUrl url = parsed("postgresql://comments@db.example.org/blog");
    EXPECT_EQ(url.user, "comments");
    EXPECT_THAT(url.password, IsEmpty());
    EXPECT_THAT(url.hosts, ElementsAre(DatabaseHost{"db.example.org", 5432}));
    EXPECT_EQ(url.database, "blog");
    EXPECT_THAT(url.tls_mode, IsEmpty());
    EXPECT_THAT(url.authorities, IsEmpty());
    EXPECT_THAT(url.session_attributes, IsEmpty());
}

TEST(DatabaseUrl, HasTheSchemeInBothForms) {
    EXPECT_EQ(parsed("postgres://comments@db.example.org/blog").database, "blog");
    EXPECT_THAT(problem_with("mysql://comments@db.example.org/blog"), HasSubstr("postgresql://USER@HOST/DATABASE"));
    EXPECT_THAT(problem_with("host=db.example.org dbname=blog"), HasSubstr("postgresql://USER@HOST/DATABASE"));
}

TEST(DatabaseUrl, NamesSeveralHostsEachWithItsPort) {
    EXPECT_THAT(parsed("postgresql://comments@a.example.org:5433,b.example.org,192.0.2.7:6000/blog").hosts,
                ElementsAre(DatabaseHost{"a.example.org", 5433}, DatabaseHost{"b.example.org", 5432},
                            DatabaseHost{"192.0.2.7", 6000}));
}

TEST(DatabaseUrl, HasAddressesOfIpv6InBrackets) {
    EXPECT_THAT(parsed("postgresql://comments@[2001:db8::7]:5433,[::1]/blog").hosts,
                ElementsAre(DatabaseHost{"2001:db8::7", 5433}, DatabaseHost{"::1", 5432}));
    EXPECT_THAT(problem_with("postgresql://comments@2001:db8::7/blog"), HasSubstr("a port that is none"));
}

TEST(DatabaseUrl, EndsAnAddressInBracketsWhereTheyEnd) {
    EXPECT_FALSE(parse_database_url("postgresql://comments@[::1/blog"));
    EXPECT_FALSE(parse_database_url("postgresql://comments@[::1]5433/blog"));
}

TEST(DatabaseUrl, MayNameTheFolderOfASocket) {
    EXPECT_THAT(parsed("postgresql://comments@/blog?host=/run/postgresql&port=5433").hosts,
                ElementsAre(DatabaseHost{"/run/postgresql", 5433}));
    EXPECT_THAT(parsed("postgresql://comments@%2Frun%2Fpostgresql/blog").hosts,
                ElementsAre(DatabaseHost{"/run/postgresql", 5432}));
}

TEST(DatabaseUrl, IsDecodedInEachPart) {
    const DatabaseUrl url =
        parsed("postgresql://com%40ments:p%2Fq%3A%25@db.example.org/my%20blog?sslrootcert=%2Fca%26.pem");
    EXPECT_EQ(url.user, "com@ments");
    EXPECT_EQ(url.password, "p/q:%");
    EXPECT_EQ(url.database, "my blog");
    EXPECT_EQ(url.authorities, "/ca&.pem");
}

TEST(DatabaseUrl, SaysInWhichPartAPercentSignIsWrong) {
    EXPECT_THAT(problem_with("postgresql://comments%zz@db.example.org/blog"), HasSubstr("% in its user"));
    EXPECT_THAT(problem_with("postgresql://comments@db.example.org/blog%4"), HasSubstr("% in its database"));
    EXPECT_THAT(problem_with("postgresql://comments@db.example.org/blog%0A"), HasSubstr("% in its database"));
    EXPECT_THAT(problem_with("postgresql://comments@db.example.org/blog%00"), HasSubstr("% in its database"));
    EXPECT_THAT(problem_with("postgresql://comments@db%2.example.org/blog"), HasSubstr("% in its host"));
}

TEST(DatabaseUrl, TakesUserPasswordAndDatabaseAsParametersToo) {
    const DatabaseUrl url = parsed("postgresql://db.example.org?user=comments&password=p%26q&dbname=blog");
    EXPECT_EQ(url.user, "comments");
    EXPECT_EQ(url.password, "p&q");
    EXPECT_EQ(url.database, "blog");
}

TEST(DatabaseUrl, SaysHowTheServerIsCheckedAndWhichOneIsWanted) {
    const DatabaseUrl url = parsed("postgresql://comments@db.example.org/"
                                   "blog?sslmode=verify-ca&sslrootcert=/etc/ssl/db.pem&target_session_attrs=primary");
    EXPECT_EQ(url.tls_mode, "verify-ca");
    EXPECT_EQ(url.authorities, "/etc/ssl/db.pem");
    EXPECT_EQ(url.session_attributes, "primary");
}

TEST(DatabaseUrl, RefusesAValueThatLibpqOrThePoolDoesNotKnowAndNamesThoseThatThereAre) {
    EXPECT_THAT(problem_with("postgresql://comments@db.example.org/blog?sslmode=on"),
                AllOf(HasSubstr("sslmode"), HasSubstr("disable allow prefer require verify-ca verify-full")));
    EXPECT_THAT(problem_with("postgresql://comments@db.example.org/blog?target_session_attrs=any"),
                AllOf(HasSubstr("target_session_attrs"), HasSubstr("read-write primary")));
    EXPECT_THAT(problem_with("postgresql://comments@db.example.org/blog?sslrootcert=db.pem"),
                HasSubstr("no absolute path"));
}

TEST(DatabaseUrl, RefusesAParameterThatThePoolCanNotFollow) {
    EXPECT_THAT(problem_with("postgresql://comments@db.example.org/blog?connect_timeout=5"),
                HasSubstr("a parameter that the pool does not know"));
    EXPECT_THAT(problem_with("postgresql://comments@db.example.org/blog?options=-c%20role%3Dpostgres"),
                HasSubstr("a parameter that the pool does not know"));
}

TEST(DatabaseUrl, SaysWhichPartIsMissing) {
    EXPECT_THAT(problem_with("postgresql://db.example.org/blog"), HasSubstr("names no user"));
    EXPECT_THAT(problem_with("postgresql://comments@/blog"), HasSubstr("names no host"));
    EXPECT_THAT(problem_with("postgresql://comments@db.example.org"), HasSubstr("names no database"));
    EXPECT_THAT(problem_with("postgresql://comments@a.example.org,/blog"), HasSubstr("a host that is none"));
    EXPECT_THAT(problem_with("postgresql://comments@/blog?port=5433"), HasSubstr("names no host"));
}

TEST(DatabaseUrl, RefusesAPortThatIsNone) {
    for (const std::string port : {"0", "-5", "65536", "54x", "99999999999"})
        EXPECT_THAT(problem_with("postgresql://comments@db.example.org:" + port + "/blog"),
                    HasSubstr("a port that is none"))
            << port;
    EXPECT_THAT(parsed("postgresql://comments@db.example.org:65535/blog").hosts,
                ElementsAre(DatabaseHost{"db.example.org", 65535}));
}

TEST(DatabaseUrl, RefusesAHostThatCouldSayMoreThanAName) {
    EXPECT_THAT(problem_with("postgresql://comments@db.example.org%20port%3D1/blog"), HasSubstr("a host that is none"));
    EXPECT_THAT(problem_with("postgresql://comments@a.example.org%2Cb.example.org/blog"),
                HasSubstr("a host that is none"));
    EXPECT_THAT(problem_with("postgresql://comments@db'.example.org/blog"), HasSubstr("a host that is none"));
}

TEST(DatabaseUrl, LeavesRoomForTheNamesOfTheBackupsDatabases) {
    constexpr std::size_t kLongest = 63; // PostgreSQL cuts off what is longer
    const std::string name(kLongest - std::string_view("_restored").size(), 'n');
    EXPECT_EQ(parsed("postgresql://comments@db.example.org/" + name).database, name);
    EXPECT_THAT(problem_with("postgresql://comments@db.example.org/" + name + "n"), HasSubstr("54 bytes"));
    EXPECT_THAT(problem_with("postgresql://" + std::string(kLongest + 1, 'u') + "@db.example.org/blog"),
                HasSubstr("too long"));
}

TEST(DatabaseUrl, NeverShowsThePassword) {
    const auto with = [](const std::string& password) {
        return "postgresql://comments:" + password + "@db.example.org";
    };
    // Each has another fault; a slash or a question mark that is not encoded is the commonest.
    const auto urls = {with("s3cret%zz") + "/blog",
                       with("s3cret") + "/",
                       with("s3cret") + ":x/blog",
                       with("s3cret") + "/blog?sslmode=on",
                       with("s3cret/x") + "/blog",
                       with("s3cret?x") + "/blog",
                       with("x/s3cret") + "/blog",
                       with("x?s3cret") + "/blog",
                       with("x?s3cret=y") + "/blog",
                       with("x,s3cret/x") + "/blog",
                       std::string("postgresql://db.example.org/blog?user=u&password=s3cret&ssl=on"),
                       std::string("postgresql://db.example.org/blog?user=u&password=s3cret%zz")};
    for (const auto& url : urls)
        EXPECT_THAT(problem_with(url), Not(HasSubstr("s3cret"))) << url;
}

} // namespace
} // namespace commento
