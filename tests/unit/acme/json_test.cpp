#include "acme/json.hpp"
#include "acme/problem.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string nested(int depth) {
    return R"({"a":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
}

TEST(ParseObject, TakesObjectsOnly) {
    EXPECT_TRUE(parse_object(R"({"a": 1})"));
    EXPECT_FALSE(parse_object("[]"));
    EXPECT_FALSE(parse_object("\"text\""));
    EXPECT_FALSE(parse_object(""));
    EXPECT_FALSE(parse_object("<html></html>"));
    EXPECT_FALSE(parse_object(R"({"a": )"));
    EXPECT_FALSE(parse_object("{\"a\": \"\xff\"}"));
}

TEST(ParseObject, RefusesWhatIsNestedTooDeep) {
    EXPECT_TRUE(parse_object(nested(20)));
    EXPECT_FALSE(parse_object(nested(40)));
    EXPECT_FALSE(parse_object(nested(400000)));
    EXPECT_FALSE(parse_object(std::string(1000000, '{')));
}

TEST(Fields, AMissingOneAndOneOfAnotherTypeAreEmpty) {
    const json object = {{"text", "a"}, {"number", 1}, {"list", {1, 2}}};
    EXPECT_EQ(text_field(object, "text"), "a");
    EXPECT_EQ(text_field(object, "number"), "");
    EXPECT_EQ(text_field(object, "none"), "");
    EXPECT_EQ(list_field(object, "list").size(), 2);
    EXPECT_TRUE(list_field(object, "text").empty());
}

TEST(Problem, IsShownAsItIsWithItsSubproblems) {
    const json problem = {{"type", "urn:ietf:params:acme:error:malformed"},
                          {"detail", "Some of the identifiers requested were rejected"},
                          {"subproblems",
                           {{{"type", "urn:ietf:params:acme:error:caa"},
                             {"detail", "CAA forbids"},
                             {"identifier", {{"type", "dns"}, {"value", "a.example.org"}}}}}}};
    EXPECT_EQ(describe_problem(problem),
              "urn:ietf:params:acme:error:malformed: Some of the identifiers requested were rejected\n"
              "  a.example.org: urn:ietf:params:acme:error:caa: CAA forbids");
}

TEST(Problem, CannotBringControlCharactersOrEndlessTextIntoTheLog) {
    EXPECT_THAT(describe_problem({{"detail", "a\nb\x1b[31m"}}), Not(testing::ContainsRegex("[\x01-\x1f]")));
    EXPECT_LT(describe_problem({{"detail", std::string(1000000, 'a')}}).size(), 2000);
    EXPECT_LT(describe_problem({{"subproblems", json(std::vector(1000, json::object()))}}).size(), 5000);
}

TEST(Problem, NonsenseIsNoReasonToFail) {
    EXPECT_THAT(describe_problem(json::object()), HasSubstr("without a type"));
    EXPECT_THAT(describe_problem({{"type", 1}, {"detail", {1, 2}}, {"subproblems", {1, "a", {{"identifier", 3}}}}}),
                HasSubstr("without identifier"));
}

TEST(Problem, EachHintIsForOneType) {
    EXPECT_THAT(hint_for_problem("urn:ietf:params:acme:error:rateLimited"), HasSubstr("TEST=true"));
    EXPECT_THAT(hint_for_problem("urn:ietf:params:acme:error:unauthorized"), HasSubstr("DNS"));
    EXPECT_EQ(hint_for_problem("urn:ietf:params:acme:error:other"), "");
    EXPECT_EQ(hint_for_problem("about:blank"), "");
}

} // namespace
} // namespace commento
