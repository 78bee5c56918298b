#include "ctl/table.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> kTitles{"PART", "DETAIL"};

TEST(Table, IsPlainTextWithoutColour) {
    EXPECT_EQ(draw_table(kTitles, {{{"database"}, {"active", Colour::good}}, {{"web"}, {"failed", Colour::bad}}},
                         Look::plain),
              "PART     DETAIL\ndatabase active\nweb      failed");
}

TEST(Table, IsColouredForATerminal) {
    EXPECT_THAT(draw_table(kTitles, {{{"web"}, {"failed", Colour::bad}}}, Look::terminal), HasSubstr("\x1b[31m"));
}

TEST(Table, DoesNotCutLongCells) {
    const std::string longer(500, 'x');
    EXPECT_THAT(draw_table(kTitles, {{{"web"}, {longer}}}, Look::plain), HasSubstr(longer));
}

TEST(Table, DoesNotHandOnWhatATerminalWouldObey) {
    EXPECT_THAT(draw_table(kTitles, {{{"web"}, {"a\x1b[2Jb"}}}, Look::plain), Not(HasSubstr("\x1b")));
}

} // namespace
} // namespace commento
