#include "proof/outside.hpp"

#include "proof/http_listener.hpp"
#include "servers.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kPath = "/.well-known/acme-challenge/token";

TEST(Outside, WhatIsShownRaisesNoDoubt) {
    const int port = free_port();
    auto listener = Listener::open(port, "");
    ASSERT_TRUE(listener->serve(answer_http({{"token", "content"}})));
    EXPECT_THAT(doubts_from_outside({"localhost"}, kPath, "content", port), IsEmpty());
    EXPECT_THAT(doubts_from_outside({"localhost"}, kPath, "other content", port),
                AllOf(Not(IsEmpty()), Each(HasSubstr("status 200"))));
}

TEST(Outside, AnAddressThatDoesNotAnswerIsNamed) {
    EXPECT_THAT(doubts_from_outside({"localhost"}, kPath, "content", free_port()),
                AllOf(Not(IsEmpty()),
                      Each(AllOf(HasSubstr("localhost at "), HasSubstr("does not show the challenge folder")))));
}

} // namespace
} // namespace commento
