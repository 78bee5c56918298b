#include "app/release.hpp"

#include <gtest/gtest.h>

namespace commento {
namespace {

constexpr const char* kSum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(ReleaseName, ComesFromAReleasePagesAddress) {
    EXPECT_EQ(
        release_name("https://github.com/souramoo/commentoplusplus/releases/download/v1.8.7/release.tar.gz", kSum),
        "commentoplusplus-1.8.7");
    EXPECT_EQ(release_name("https://example.org/a/b/releases/download/2.0-rc1/x.zip?token=1", kSum), "b-2.0-rc1");
}

TEST(ReleaseName, ComesFromAFileNameWithAVersion) {
    EXPECT_EQ(release_name("/srv/commento-v1.8.0-linux-glibc-amd64.tar.gz", kSum), "commento-1.8.0");
    EXPECT_EQ(release_name("https://example.org/commento_1.9.tar.xz", kSum), "commento-1.9");
}

TEST(ReleaseName, IsTheStemWithASumWhereNoVersionIsKnown) {
    EXPECT_EQ(release_name("/srv/release.tar.gz", kSum), "release-0123456789ab");
    EXPECT_EQ(release_name("https://example.org/downloads/", kSum), "-0123456789ab");
}

TEST(ReleaseName, IsAlwaysOnePlainVisibleFileName) {
    EXPECT_EQ(release_name("/srv/.hidden dir/..a b$.zip", kSum), "a-b--0123456789ab");
    EXPECT_EQ(release_name("https://x/../releases/download/1../y", kSum).find('/'), std::string::npos);
}

} // namespace
} // namespace commento
