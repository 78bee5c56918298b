#include "base/journal.hpp"

#include <gtest/gtest.h>

namespace commento {
namespace {

TEST(SplitReport, FindsTheHint) {
    const LastWords words = split_report("one\ntwo\nhint: do this\nand that");
    EXPECT_EQ(words.message, "one\ntwo");
    EXPECT_EQ(words.hint, "do this\nand that");
}

TEST(SplitReport, LeavesAMessageWithoutHintAsItIs) {
    EXPECT_EQ(split_report("a hint: is no hint").message, "a hint: is no hint");
    EXPECT_EQ(split_report("a hint: is no hint").hint, "");
}

} // namespace
} // namespace commento
