#include "base/program.hpp"

#include <gmock/gmock.h>
#include <stdexcept>
#include <vector>

namespace commento {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

struct Ended {
    int status;
    std::string out;
    std::string err;
};

Ended run(Program& program, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "commento-test");
    std::vector<char*> argv;
    for (auto& argument : arguments)
        argv.push_back(argument.data());
    argv.push_back(nullptr);
    CaptureStdout();
    CaptureStderr();
    const int status = program.run(static_cast<int>(arguments.size()), argv.data());
    return {status, GetCapturedStdout(), GetCapturedStderr()};
}

Ended run_sample(const std::vector<std::string>& arguments, int* runs = nullptr) {
    Program program("commento-test", "Does nothing.");
    program.verb("good", "Succeeds", [&]() -> Result<void> {
        if (runs != nullptr)
            ++*runs;
        return {};
    });
    program.verb("bad", "Fails", []() -> Result<void> { return fail(ErrorCode::web, "it failed", "mend it"); });
    program.verb("throws", "Throws", []() -> Result<void> { throw std::runtime_error("bug"); });
    CLI::App* group = program.group("group", "Groups");
    program.verb(
        "inner", "Succeeds, too", []() -> Result<void> { return {}; }, group);
    std::string part;
    std::string size;
    std::vector<std::string> pairs;
    int seconds = 0;
    CLI::App* takes = program.verb("takes", "Takes words", []() -> Result<void> { return {}; });
    takes->add_option("part", part, "One of two")
        ->type_name("PART")
        ->required()
        ->check(CLI::IsMember({"web", "mail"}).description(""));
    takes->add_option("size", size, "Any")->type_name("SIZE")->required();
    takes->add_option("--set", pairs, "Any")->type_name("KEY=VALUE")->allow_extra_args(false);
    takes->add_option("--within", seconds, "Any")->type_name("SECONDS")->check(CLI::PositiveNumber.description(""));
    program.knows_words(takes, {"web", "mail"});
    return run(program, arguments);
}

TEST(Program, RunsTheVerbOnce) {
    int runs = 0;
    EXPECT_EQ(run_sample({"good"}, &runs).status, 0);
    EXPECT_EQ(runs, 1);
}

TEST(Program, RunsAVerbOfAGroup) { EXPECT_EQ(run_sample({"group", "inner"}).status, 0); }

TEST(Program, ReportsAnErrorOnceAndExitsWithItsCode) {
    const Ended ended = run_sample({"bad"});
    EXPECT_EQ(ended.status, static_cast<int>(ErrorCode::web));
    EXPECT_EQ(ended.err, "error: it failed\nhint: mend it\n");
    EXPECT_EQ(ended.out, "");
}

TEST(Program, ReportsAnExceptionAsAFaultOfTheProgram) {
    const Ended ended = run_sample({"throws"});
    EXPECT_EQ(ended.status, static_cast<int>(ErrorCode::internal));
    EXPECT_THAT(ended.err, HasSubstr("error: bug"));
}

TEST(Program, NamesAWordThatIsNoVerb) {
    for (const std::vector<std::string>& line : {std::vector<std::string>{"frob"}, {"group", "frob"}}) {
        const Ended ended = run_sample(line);
        EXPECT_EQ(ended.status, static_cast<int>(ErrorCode::settings));
        EXPECT_THAT(ended.err, AllOf(HasSubstr("frob"), HasSubstr("hint: see commento-test ")));
    }
}

TEST(Program, NamesTheHelpOfTheVerbThatWasGiven) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> lines{
        {{"frob"}, ""},
        {{"--frob", "good"}, ""},
        {{"good", "--frob"}, "good "},
        {{"good", "bad"}, "good "},
        {{"group"}, "group "},
        {{"group", "frob"}, "group "},
        {{"group", "inner", "--frob"}, "group inner "},
        {{"takes"}, "takes "},
    };
    for (const auto& [line, words] : lines)
        EXPECT_THAT(run_sample(line).err, HasSubstr("hint: see commento-test " + words + "--help\n"));
}

TEST(Program, SaysInWordsOfItsOwnWhatIsWrongWithAWord) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> lines{
        {{"takes"}, "missing: PART, SIZE"},
        {{"takes", "web"}, "missing: SIZE"},
        {{"takes", "frob", "1"}, "PART can't be \"frob\", only one of: web, mail"},
        {{"takes", "web", "1", "--set"}, "--set needs a value: KEY=VALUE"},
        {{"takes", "web", "1", "--within"}, "--within needs a value: SECONDS"},
        {{"takes", "web", "1", "--within", "0"}, "--within can't be \"0\""},
        {{"takes", "web", "1", "--within", "soon"}, "--within can't be \"soon\""},
        {{"takes", "web", "1", "--within", "1", "--within", "2"}, "--within is given more than once"},
        {{"takes", "web", "1", "frob"}, "The following argument was not expected: frob"},
    };
    for (const auto& [line, message] : lines) {
        const Ended ended = run_sample(line);
        EXPECT_EQ(ended.status, static_cast<int>(ErrorCode::settings));
        EXPECT_THAT(ended.err, StartsWith("error: " + message + "\n"));
    }
}

TEST(Program, WantsAVerb) {
    for (const std::vector<std::string>& line : {std::vector<std::string>{}, {"group"}}) {
        const Ended ended = run_sample(line);
        EXPECT_EQ(ended.status, static_cast<int>(ErrorCode::settings));
        EXPECT_THAT(ended.err, HasSubstr("no verb is given"));
    }
}

TEST(Program, WantsNoMoreThanOneVerb) {
    EXPECT_EQ(run_sample({"good", "bad"}).status, static_cast<int>(ErrorCode::settings));
}

TEST(Program, ShowsHelpAndVersionOnStdout) {
    const Ended help = run_sample({"--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, AllOf(HasSubstr("Does nothing."), HasSubstr("good"), HasSubstr("man commento-test")));
    EXPECT_EQ(help.err, "");
    const Ended version = run_sample({"--version"});
    EXPECT_EQ(version.status, 0);
    EXPECT_THAT(version.out, HasSubstr("commento-test "));
}

} // namespace
} // namespace commento
