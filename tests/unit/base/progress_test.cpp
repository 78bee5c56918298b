#include "base/progress.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

TEST(ProgressBar, IsAsLongAsItsPart) {
    EXPECT_EQ(progress_bar(4U << 20U, 1U << 20U), "[#####---------------]  25 %  1.0 of 4.0 MiB");
    EXPECT_EQ(progress_bar(4U << 20U, 4U << 20U), "[####################] 100 %  4.0 of 4.0 MiB");
}

TEST(BarOfLogLine, IsTheBarThatATerminalWouldHaveShown) {
    EXPECT_EQ(bar_of_log_line("putting back 2026: 25 % of 4.0 MiB"),
              "putting back 2026  [#####---------------]  25 %  1.0 of 4.0 MiB");
    EXPECT_EQ(bar_of_log_line("x: 999 % of 0.0 MiB"), "x  [####################] 100 %  0.0 of 0.0 MiB");
}

TEST(BarOfLogLine, IsNothingForOtherLines) {
    EXPECT_EQ(bar_of_log_line("made backup 2026: 4.0 MiB"), "");
    EXPECT_EQ(bar_of_log_line("x: 1000 % of 4.0 MiB"), "");
    EXPECT_EQ(bar_of_log_line("x: 50 % of 4 MiB"), "");
    EXPECT_EQ(bar_of_log_line(""), "");
}

} // namespace
} // namespace commento
