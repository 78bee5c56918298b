#include "nginx/compress.hpp"

#include "base/files.hpp"
#include "base/process.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

std::string sample() {
    std::string text;
    for (int i = 0; i < 5000; ++i)
        text += "function f" + std::to_string(i * 7919 % 1000) + "() { return document.getElementById('commento'); }\n";
    return text;
}

/// What the tool that everybody has makes of it.
std::string decompressed(const char* tool, const char* ending, const std::string& compressed) {
    const Folder folder;
    const std::string file = (folder / (std::string("file") + ending)).string();
    EXPECT_TRUE(write_file(file, compressed, 0644));
    const auto outcome =
        run_program({tool, "-dc", file}, std::chrono::seconds(60), {}, Stderr::apart, std::size_t{1} << 24U);
    EXPECT_EQ(outcome.value_or(Outcome{-1, ""}).status, 0);
    return outcome.value_or(Outcome{-1, ""}).output;
}

TEST(Gzip, IsReadByGzip) { EXPECT_EQ(decompressed("gzip", ".gz", gzip(sample())), sample()); }

TEST(Gzip, IsTheSameEachTime) { EXPECT_EQ(gzip(sample()), gzip(sample())); }

TEST(Brotli, IsReadByBrotli) { EXPECT_EQ(decompressed("brotli", ".br", brotli(sample())), sample()); }

TEST(Brotli, IsSmallerThanGzip) { EXPECT_LT(brotli(sample()).size(), gzip(sample()).size()); }

TEST(Compressed, TakesWhatDoesNotShrink) {
    std::string noise(100'000, '\0');
    unsigned int state = 1;
    for (char& c : noise)
        c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24U);
    EXPECT_EQ(decompressed("gzip", ".gz", gzip(noise)), noise);
    EXPECT_EQ(decompressed("brotli", ".br", brotli(noise)), noise);
}

} // namespace
} // namespace commento
