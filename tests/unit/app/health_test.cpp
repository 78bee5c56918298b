#include "app/health.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

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
