#include "notify/ending.hpp"

#include <gtest/gtest.h>
#include <map>

namespace commento {
namespace {

using Variables = std::map<std::string, std::string>;

Result<Ending> ending(const std::string& unit, const Variables& variables) {
    return ending_of(unit, [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
    });
}

Ending ended(const std::string& result, const std::string& code, const std::string& status) {
    return {"commento-try", result, code, status, "1"};
}

TEST(EndingOf, TakesWhatSystemdTells) {
    const auto found = ending("commento-cert-renew", {{"MONITOR_SERVICE_RESULT", "exit-code"},
                                                      {"MONITOR_EXIT_CODE", "exited"},
                                                      {"MONITOR_EXIT_STATUS", "5"},
                                                      {"MONITOR_INVOCATION_ID", "abc"}});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->unit, "commento-cert-renew");
    EXPECT_EQ(found->result, "exit-code");
    EXPECT_EQ(found->invocation, "abc");
    EXPECT_EQ(exit_status(*found), 5);
    EXPECT_FALSE(went_well(*found));
}

TEST(EndingOf, RefusesWhatSystemdSaysNothingOf) {
    EXPECT_EQ(ending("commento-x", {}).error().code, ErrorCode::settings);
}

TEST(EndingOf, RefusesNamesThatAreNoneOfOurs) {
    for (const char* name : {"", "nginx", "commento/../../etc/x", "commento x", "../commento"})
        EXPECT_FALSE(ending(name, {{"MONITOR_SERVICE_RESULT", "success"}})) << name;
}

TEST(Ending, IsWellOnlyWhenTheProgramDidIt) {
    EXPECT_TRUE(went_well(ended("success", "exited", "0")));
    EXPECT_FALSE(went_well(ended("exec-condition", "exited", "1")));
    EXPECT_FALSE(went_well(ended("success", "killed", "TERM")));
    EXPECT_FALSE(went_well(ended("exit-code", "exited", "1")));
}

TEST(Ending, ThatWasAskedForIsNoFailure) {
    EXPECT_TRUE(was_stopped(ended("signal", "killed", "TERM")));
    EXPECT_FALSE(was_stopped(ended("signal", "killed", "KILL")));
    EXPECT_FALSE(was_stopped(ended("timeout", "killed", "TERM")));
    EXPECT_EQ(exit_status(ended("signal", "killed", "KILL")), -1);
}

} // namespace
} // namespace commento
