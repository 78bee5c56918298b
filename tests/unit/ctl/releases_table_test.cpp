#include "ctl/releases_table.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::MatchesRegex;

// As commento-app prints them (src/app/releases.cpp).
const json kReleases = json::parse(R"([
    {"name": "commento-1.8.0", "version": "1.8.0", "sha256": "0123456789abcdef", "source": "/srv/a.tar.gz",
     "installed": 1764000000, "bytes": 1572864, "state": "previous", "unknown_steps": []},
    {"name": "release-0123456789ab", "version": null, "sha256": "fedcba9876543210", "source": "",
     "installed": 1764100000, "bytes": 0, "state": "current", "unknown_steps": []}])");

TEST(ReleasesTable, HasARowForEachTheNewestFirst) {
    EXPECT_THAT(releases_table(kReleases, Look::plain),
                MatchesRegex("RELEASE +VERSION +STATE +SHA-256 +INSTALLED \\(UTC\\) +SIZE +SOURCE *\n"
                             "release-0123456789ab +- +current .*\ncommento-1.8.0 +1.8.0 +previous .*"));
}

TEST(ReleasesTable, ShowsWhenAReleaseCameAndFromWhere) {
    EXPECT_THAT(releases_table(kReleases, Look::plain),
                HasSubstr("0123456789ab 2025-11-24 16:00 1.5 MiB /srv/a.tar.gz"));
}

} // namespace
} // namespace commento
