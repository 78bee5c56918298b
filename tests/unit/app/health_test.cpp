#include "app/health.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr const char* kHealthy = R"({"commentCounts":{},"success":true})";

TEST(ProblemWithCount, IsInTheBodyAndNotInTheStatus) {
    EXPECT_THAT(problem_with_count({200, {}, kHealthy}), IsEmpty());
    EXPECT_THAT(problem_with_count({200, {}, R"({"success":false})"}), HasSubstr("status 200, {\"success\":false}"));
    EXPECT_THAT(problem_with_count({502, {}, "<html>"}), HasSubstr("status 502"));
    EXPECT_THAT(problem_with_count({200, {}, R"({"success":"true"})"}), Not(IsEmpty()));
    EXPECT_THAT(problem_with_count({200, {}, "[true]"}), Not(IsEmpty()));
}

TEST(HealthAnswer, HasTheStatusThatALoadBalancerLooksAt) {
    EXPECT_THAT(health_answer(true, true), StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(health_answer(true, false), StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(health_answer(false, false), StartsWith("HTTP/1.1 503 "));
}

TEST(HealthAnswer, SaysWhichOneDoesNotAnswer) {
    EXPECT_THAT(health_answer(true, false), HasSubstr("\r\n\r\n{\"application\":true,\"database\":false}\n"));
}

} // namespace
} // namespace commento
