#include "base/pace.hpp"

#include "base/fd.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace commento {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(Pace, WaitsAtLeastTheIntervalThatGrowsUpToTheLongest) {
    Pace pace(2ms, 5ms, 1h);
    const auto begin = Clock::now();
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(pace.wait());
    EXPECT_GE(Clock::now() - begin, 2ms + 4ms + 5ms + 5ms);
}

TEST(Pace, WaitsForAsLongAsTheOtherPartyAskedFor) {
    Pace pace(1ms, 1ms, 1h);
    const auto begin = Clock::now();
    ASSERT_TRUE(pace.wait(20ms));
    EXPECT_GE(Clock::now() - begin, 20ms);
}

TEST(Pace, EndsAtOnceWhenTheDeadlineWouldPass) {
    Pace pace(1ms, 1ms, 1h);
    EXPECT_FALSE(pace.wait(2h));
}

TEST(Pace, EndsWhenTheDeadlineHasPassed) {
    Pace pace(1ms, 1ms, 10ms);
    int waits = 0;
    while (pace.wait())
        ++waits;
    EXPECT_GE(waits, 1);
    EXPECT_LE(waits, 10);
}

TEST(Pace, EndsEarlyWhenTheWatchedProcessEnds) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(0);
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    Pace pace(1h, 1h, 2h);
    EXPECT_FALSE(pace.wait(std::nullopt, process.get()));
    ::waitpid(child, nullptr, 0);
}

} // namespace
} // namespace commento
