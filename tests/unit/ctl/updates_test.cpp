#include "ctl/updates.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// As apt-cache policy of Debian 12 prints it.
constexpr const char* kPolicy = R"(nginx:
  Installed: 1.22.1-9+deb12u1
  Candidate: 1.22.1-9+deb12u2
  Version table:
     1.22.1-9+deb12u2 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 1.22.1-9+deb12u1 100
        100 /var/lib/dpkg/status
openssl:
  Installed: 3.0.16-1~deb12u1
  Candidate: 3.0.16-1~deb12u1
  Version table:
 *** 3.0.16-1~deb12u1 500
pgbouncer:
  Installed: (none)
  Candidate: 1.18.0-1+b1
  Version table:
)";

TEST(Updates, OfAptAreInstalledPackagesWithAnotherCandidate) {
    EXPECT_THAT(updates_of_apt(kPolicy), ElementsAre(Pair("nginx", "1.22.1-9+deb12u2")));
    EXPECT_THAT(updates_of_apt(""), IsEmpty());
}

TEST(Updates, OfDnfAreALineEach) {
    EXPECT_THAT(updates_of_dnf("nginx 2:1.26.3-1.fc40\n\nopenssl 0:3.2.4-1.fc40\n"),
                ElementsAre(Pair("nginx", "2:1.26.3-1.fc40"), Pair("openssl", "3.2.4-1.fc40")));
    EXPECT_THAT(updates_of_dnf("nginx 2:1.26.3-1.fc40"), ElementsAre(Pair("nginx", "2:1.26.3-1.fc40")));
    EXPECT_THAT(updates_of_dnf("\n"), IsEmpty());
}

} // namespace
} // namespace commento
