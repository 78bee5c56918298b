#include "config/env_file.hpp"

#include <gmock/gmock.h>
#include <string>
#include <vector>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The value of the one assignment in `text`; its faults where there are any.
std::string value_in(const std::string& text) {
    const ParsedFile parsed = parse_env_file(text, "f");
    if (!parsed.faults.empty())
        return "fault: " + to_string(parsed.faults.front());
    if (parsed.assignments.size() != 1)
        return "assignments: " + std::to_string(parsed.assignments.size());
    return parsed.assignments.front().value;
}

struct Example {
    std::string text;
    std::string value;
};

class EnvFileValue : public testing::TestWithParam<Example> {};

TEST_P(EnvFileValue, IsReadAsSystemdReadsIt) { EXPECT_EQ(value_in(GetParam().text), GetParam().value); }

// tests/system/commentoctl.py has systemd itself read the same lines.
INSTANTIATE_TEST_SUITE_P(Unquoted, EnvFileValue,
                         testing::Values(Example{"K=v", "v"}, Example{"K=v\n", "v"}, Example{"K=", ""},
                                         Example{"  K = v w \t\n", "v w"}, Example{"K=v\r\n", "v"},
                                         Example{"K=a#b ;c", "a#b ;c"}, Example{"K=a=b", "a=b"},
                                         Example{"K=a\"b c\"", "a\"b c\""}, Example{"K=it's", "it's"}));
INSTANTIATE_TEST_SUITE_P(Escaped, EnvFileValue,
                         testing::Values(Example{R"(K=a\ b\\c\"d)", R"(a b\c"d)"}, Example{"K=a\\\nb\n", "ab"},
                                         Example{"K=a\\ \n", "a "}, Example{R"(K=\"a")", R"("a")"},
                                         Example{"K=a\\", "a"}));
INSTANTIATE_TEST_SUITE_P(Quoted, EnvFileValue,
                         testing::Values(Example{"K='a b'", "a b"}, Example{R"(K="a b"  )", "a b"},
                                         Example{R"(K='a\b"c')", R"(a\b"c)"},
                                         Example{R"(K="\"\\\`\$\x'")", R"("\`$\x')"}, Example{"K=\"a\\\nb\"", "ab"},
                                         Example{"K=\" a \"", " a "}, Example{R"(K="a" 'b' c d)", "abc d"},
                                         Example{R"(K="a"b"c")", R"(ab"c")"}, Example{"K='#a'", "#a"},
                                         Example{"K=\"a\nb\"", "a\nb"}));

TEST(EnvFile, GivesEachAssignmentWithItsLineAndPlace) {
    const std::string text = "# comment\n\n ONE=1\n; comment\nTWO=\"a\\\nb\"\nTHREE=3";
    const ParsedFile parsed = parse_env_file(text, "f");
    EXPECT_THAT(parsed.faults, IsEmpty());
    ASSERT_EQ(parsed.assignments.size(), 3U);
    std::vector<std::string> seen;
    for (const auto& found : parsed.assignments)
        seen.push_back(found.key + "@" + std::to_string(found.line) + ":" +
                       text.substr(found.begin, found.end - found.begin));
    EXPECT_THAT(seen, ElementsAre("ONE@3:ONE=1", "TWO@5:TWO=\"a\\\nb\"", "THREE@7:THREE=3"));
}

std::vector<std::string> faults_in(const std::string& text) {
    std::vector<std::string> lines;
    for (const auto& fault : parse_env_file(text, "f").faults)
        lines.push_back(to_string(fault));
    return lines;
}

TEST(EnvFile, ListsEveryFaultWithItsLine) {
    EXPECT_THAT(faults_in("A=1\nnonsense\nB=2\n1C=3\nexport D=4\n=5\n"),
                ElementsAre("f:2: \"nonsense\" is no assignment; it has the form KEY=value",
                            "f:4: 1C is no name of a key; letters, digits and underscores",
                            "f:5: export D is no name of a key; letters, digits and underscores",
                            "f:6: is no name of a key; letters, digits and underscores"));
}

TEST(EnvFile, NamesTheLineWhereAQuoteIsOpenedThatIsNeverClosed) {
    EXPECT_THAT(faults_in("A=1\nB=\"two\nC=3\n"), ElementsAre(HasSubstr("f:2: B has an opening \" that is never")));
    EXPECT_THAT(faults_in("A='"), ElementsAre(HasSubstr("opening ' that is never closed")));
}

TEST(EnvFile, RefusesACommentThatOlderSystemdJoinsToTheNextLine) {
    EXPECT_THAT(faults_in("# see C:\\\nA=1\n"), ElementsAre(HasSubstr("f:1: a comment must not end with a backslash")));
}

TEST(EnvFile, ReadsAnyBytesWithoutHarm) {
    std::string text;
    for (int i = 0; i < 4096; ++i)
        text += static_cast<char>((i * 7919) >> 3);
    parse_env_file(text, "f");
    for (std::size_t length = 0; length < 64; ++length)
        parse_env_file(std::string_view("A=\"\\\"b\\\nc' 'd\" e\\").substr(0, length), "f");
}

class FormattedValue : public testing::TestWithParam<std::string> {};

TEST_P(FormattedValue, IsReadBackTheSame) { EXPECT_EQ(value_in(format_assignment("KEY", GetParam())), GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, FormattedValue,
                         testing::Values("", "plain", "with blanks ", " \t", "\"quoted\"", "it's", "a\\b", "$HOME `x`",
                                         "#hash", ";semicolon", "100%", "grün", "\\", "a\\"));

TEST(FormatAssignment, QuotesOnlyWhereThatIsNeeded) {
    EXPECT_EQ(format_assignment("KEY", "https://a.example:8443/x,y"), "KEY=https://a.example:8443/x,y");
    EXPECT_EQ(format_assignment("KEY", "a b"), "KEY=\"a b\"");
}

TEST(WithAssignment, ReplacesTheAssignmentAndNothingElse) {
    EXPECT_EQ(with_assignment("# head\n  A=1  \nB = 'two' \n# tail\n", "B", "3"), "# head\n  A=1  \nB=3\n# tail\n");
    EXPECT_EQ(with_assignment("  A=1\n", "A", "2"), "  A=2\n");
    EXPECT_EQ(with_assignment("A=1\r\nB=2\r\n", "A", "3"), "A=3\r\nB=2\r\n");
}

TEST(WithAssignment, ReplacesAnAssignmentOfSeveralLinesAsAWhole) {
    EXPECT_EQ(with_assignment("A=1\\\n2\\\n3\nB=4\n", "A", "5"), "A=5\nB=4\n");
    EXPECT_EQ(with_assignment("B=\"x\nA=1\"\nA=2\n", "A", "3"), "B=\"x\nA=1\"\nA=3\n");
}

TEST(WithAssignment, ReplacesTheLastOfSeveralWhichIsTheOneThatCounts) {
    EXPECT_EQ(with_assignment("A=1\nA=2\n", "A", "3"), "A=1\nA=3\n");
}

TEST(WithAssignment, ReplacesTheCommentedDefault) {
    EXPECT_EQ(with_assignment("# A, the first.\n#A=1\n#AB=2\n", "A", "3"), "# A, the first.\nA=3\n#AB=2\n");
}

TEST(WithAssignment, PrefersTheAssignmentToACommentedOne) {
    EXPECT_EQ(with_assignment("#A=1\nA=2\n", "A", "3"), "#A=1\nA=3\n");
}

TEST(WithAssignment, LeavesProseAlone) {
    EXPECT_EQ(with_assignment("# A=1 is a good value\n", "A", "3"), "# A=1 is a good value\nA=3\n");
}

TEST(WithAssignment, AppendsWhereThereIsNoPlace) {
    EXPECT_EQ(with_assignment("", "A", "1"), "A=1\n");
    EXPECT_EQ(with_assignment("B=2", "A", "1"), "B=2\nA=1\n");
    EXPECT_EQ(with_assignment("AB=2\n", "A", "1"), "AB=2\nA=1\n");
    EXPECT_EQ(with_assignment("B=2\\", "A", "1"), "B=2\\\n\nA=1\n") << "the backslash takes one line's end";
    EXPECT_EQ(with_assignment("B=2\\\n", "A", "1"), "B=2\\\n\nA=1\n");
}

} // namespace
} // namespace commento
