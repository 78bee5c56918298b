#include "base/log.hpp"

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace commento {
namespace {

enum class Stderr { journal, other };

/// What `action` writes to stderr, where that is connected to the journal or not.
template <typename Action>
std::string logged(Stderr kind, Action action) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    const int before = ::dup(STDERR_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
    struct stat status {};
    ::fstat(STDERR_FILENO, &status);
    const auto inode = status.st_ino + (kind == Stderr::journal ? 0 : 1);
    ::setenv("JOURNAL_STREAM", fmt::format("{}:{}", status.st_dev, inode).c_str(), 1);
    set_up_log("commento-test");
    action();
    ::unsetenv("JOURNAL_STREAM");
    ::dup2(before, STDERR_FILENO);
    ::close(before);
    std::string text(4096, '\0');
    const ssize_t size = ::read(ends[0], text.data(), text.size());
    ::close(ends[0]);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text;
}

TEST(Log, GivesTheJournalEachLineWithItsPriority) {
    EXPECT_EQ(logged(Stderr::journal,
                     [] {
                         spdlog::info("one\ntwo");
                         spdlog::warn("three");
                         report({ErrorCode::web, "four\nfive", "six"});
                     }),
              "<6>one\n<6>two\n<4>three\n<3>four\n<3>five\n<3>hint: six\n");
}

TEST(Log, GivesATerminalWords) {
    EXPECT_EQ(logged(Stderr::other,
                     [] {
                         spdlog::info("one");
                         report({ErrorCode::web, "two", "three"});
                         report({ErrorCode::web, "four", ""});
                     }),
              "info: one\nerror: two\nhint: three\nerror: four\n");
}

} // namespace
} // namespace commento
