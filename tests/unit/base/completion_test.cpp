#include "base/completion.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Completion : public testing::Test {
  protected:
    Completion() {
        status->add_flag("--json", json, "For programs");
        status->add_option("--set", value, "A value");
        known_[status] = {"all", "any"};
    }

    std::vector<std::string> words(const std::vector<std::string>& line) {
        std::vector<std::string> found;
        for (const auto& candidate : complete(program, known_, line))
            found.push_back(candidate.word);
        return found;
    }

    CLI::App program{"Program"};
    bool json = false;
    std::string value;
    CLI::App* status = program.add_subcommand("status", "Show it");
    CLI::App* start = program.add_subcommand("start", "Start it");
    CLI::App* group = program.add_subcommand("group", "A group");
    CLI::App* inner = group->add_subcommand("inner", "Within");
    KnownWords known_;
};

TEST_F(Completion, VerbsAreOfferedByTheirBeginning) {
    EXPECT_THAT(words({""}), ElementsAre("status", "start", "group"));
    EXPECT_THAT(words({"sta"}), ElementsAre("status", "start"));
    EXPECT_THAT(words({"x"}), IsEmpty());
    EXPECT_THAT(words({}), ElementsAre("status", "start", "group"));
}

TEST_F(Completion, AGroupsVerbsComeAfterIt) { EXPECT_THAT(words({"group", ""}), ElementsAre("inner")); }

TEST_F(Completion, OptionsAreOfferedAfterAHyphen) {
    EXPECT_THAT(words({"status", "--j"}), ElementsAre("--json"));
    EXPECT_THAT(words({"status", "-"}), ElementsAre("--help", "-h", "--json", "--set"));
}

TEST_F(Completion, KnownWordsOfAVerbAreOffered) {
    EXPECT_THAT(words({"status", "a"}), ElementsAre("all", "any"));
    EXPECT_THAT(words({"status", "--json", "al"}), ElementsAre("all"));
}

TEST_F(Completion, NothingIsOfferedForAnOptionsValue) {
    EXPECT_THAT(words({"status", "--set", ""}), IsEmpty());
    EXPECT_THAT(words({"status", "--set", "x", "al"}), ElementsAre("all"));
}

TEST_F(Completion, LinesHoldWordAndHelp) {
    EXPECT_EQ(to_lines(complete(program, known_, {"stat"})), "status\tShow it\n");
}

} // namespace
} // namespace commento
