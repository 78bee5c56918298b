#include "base/process.hpp"

#include <chrono>
#include <csignal>
#include <gmock/gmock.h>

namespace commento {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto kAmple = 60s;

TEST(RunProgram, GivesExitStatusAndBothOutputs) {
    const auto outcome = run_program({"sh", "-c", "echo out; echo err >&2; exit 7"}, kAmple);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 7);
    EXPECT_EQ(outcome->output, "out\nerr\n");
}

TEST(RunProgram, TellsTheSignalThatEndedIt) {
    const auto outcome = run_program({"sh", "-c", "kill -9 $$"}, kAmple);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 128 + SIGKILL);
}

TEST(RunProgram, PassesArgumentsWithoutAShell) {
    const auto outcome = run_program({"printf", "%s|", "a b", "$HOME", "", ";*"}, kAmple);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->output, "a b|$HOME||;*|");
}

TEST(RunProgram, GivesNoMoreEnvironmentThanItSays) {
    ::setenv("SECRET", "x", 1);
    const auto outcome = run_program({"env"}, kAmple);
    ::unsetenv("SECRET");
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->output, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C.UTF-8\n");
}

TEST(RunProgram, GivesAnEmptyInput) {
    const auto outcome = run_program({"cat"}, kAmple);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 0);
    EXPECT_EQ(outcome->output, "");
}

TEST(RunProgram, LetsABrokenPipeEndTheProgramAlthoughItsCallerIgnoresThem) {
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    const auto outcome = run_program({"sh", "-c", "kill -PIPE $$; echo survived"}, kAmple);
    std::signal(SIGPIPE, before);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 128 + SIGPIPE);
}

TEST(RunProgram, KeepsTheFirst64KiBAndStillReadsTheRest) {
    const auto outcome = run_program({"sh", "-c", "head -c 1000000 /dev/zero; exit 3"}, kAmple);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 3);
    EXPECT_EQ(outcome->output.size(), 65536U);
}

TEST(RunProgram, KeepsMoreWhereThatIsAskedFor) {
    const auto outcome =
        run_program({"sh", "-c", "head -c 200000 /dev/zero | tr '\\0' x"}, kAmple, {}, Stderr::with_output, 150000);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->output, std::string(150000, 'x'));
}

TEST(RunProgram, KillsWhatDoesNotEndInTime) {
    const auto outcome = run_program({"sleep", "3600"}, 1s);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::internal);
    EXPECT_THAT(outcome.error().message, HasSubstr("sleep did not end within 1 s and was killed"));
}

TEST(RunProgram, KillsWhatClosesItsOutputAndGoesOn) {
    const auto outcome = run_program({"sh", "-c", "exec >&- 2>&-; exec sleep 3600"}, 1s);
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, HasSubstr("did not end"));
}

TEST(RunProgram, DoesNotWaitForADaemonThatHoldsTheOutput) {
    const auto outcome = run_program({"sh", "-c", "sleep 3600 & echo $!"}, 30s);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 0);
    const pid_t daemon = std::stoi(outcome->output);
    EXPECT_EQ(::kill(daemon, SIGKILL), 0);
}

TEST(RunProgram, NamesAProgramThatIsNotThere) {
    const auto outcome = run_program({"no-such-program"}, kAmple);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message, "cannot start no-such-program: No such file or directory");
    EXPECT_THAT(outcome.error().hint, HasSubstr("package"));
}

/// Gives the pieces one after the other.
std::function<Result<std::string_view>()> source_of(std::vector<std::string>& pieces) {
    return [&pieces, next = std::size_t{0}]() mutable -> Result<std::string_view> {
        return next < pieces.size() ? std::string_view(pieces[next++]) : std::string_view();
    };
}

std::function<Result<void>(std::string_view)> sink_to(std::string& text) {
    return [&text](std::string_view piece) -> Result<void> {
        text += piece;
        return {};
    };
}

TEST(PipeProgram, HandsOnMoreThanPipesHold) {
    std::vector<std::string> pieces(50, std::string(100'000, 'x'));
    std::string output;
    const auto outcome = pipe_program({"cat"}, {source_of(pieces), sink_to(output)}, kAmple);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 0);
    EXPECT_EQ(output.size(), 5'000'000U);
}

TEST(PipeProgram, KeepsStderrApart) {
    std::string output;
    const auto outcome = pipe_program({"sh", "-c", "echo out; echo err >&2; exit 3"}, {{}, sink_to(output)}, kAmple);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 3);
    EXPECT_EQ(outcome->errors, "err\n");
    EXPECT_EQ(output, "out\n");
}

TEST(PipeProgram, TakesAProgramThatReadsNotAllOfItsInputByItsStatus) {
    std::vector<std::string> pieces(50, std::string(100'000, 'x'));
    std::string output;
    (void)std::signal(SIGPIPE, SIG_IGN);
    const auto outcome = pipe_program({"sh", "-c", "exit 4"}, {source_of(pieces), sink_to(output)}, kAmple);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 4);
}

TEST(PipeProgram, EndsTheProgramAtTheFirstErrorOfItsReader) {
    const auto full = [](std::string_view) -> Result<void> { return fail(ErrorCode::storage, "full"); };
    const auto outcome = pipe_program({"yes"}, {{}, full}, kAmple);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message, "full");
}

} // namespace
} // namespace commento
