#include "net/application.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kHealthy = R"({"commentCounts":{},"success":true})";

TEST(ProblemWithCount, IsInTheBodyAndNotInTheStatus) {
    EXPECT_THAT(problem_with_count({200, {}, kHealthy}), IsEmpty());
    EXPECT_THAT(problem_with_count({200, {}, R"({"success":false})"}), HasSubstr("status 200, {\"success\":false}"));
    EXPECT_THAT(problem_with_count({502, {}, "<html>"}), HasSubstr("status 502"));
    EXPECT_THAT(problem_with_count({200, {}, R"({"success":"true"})"}), Not(IsEmpty()));
    EXPECT_THAT(problem_with_count({200, {}, "[true]"}), Not(IsEmpty()));
}

} // namespace
} // namespace commento
