#include "acme/json.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

std::string nested(int depth) {
    return R"({"a": )" + std::string(static_cast<std::size_t>(depth) - 1, '[') +
           std::string(static_cast<std::size_t>(depth) - 1, ']') + "}";
}

TEST(ParseObject, TakesWhatIsNestedUpToTheLimit) {
    EXPECT_TRUE(parse_object(nested(32)));
    EXPECT_FALSE(parse_object(nested(33)));
    EXPECT_FALSE(parse_object(nested(100000)));
}

TEST(ParseObject, BracketsInATextAreNoNesting) {
    const std::string many(1000, '[');
    EXPECT_EQ(text_field(parse_object(R"({"a": ")" + many + R"(\"[\\"})").value(), "a"), many + "\"[\\");
}

TEST(ParseObject, BracketsOfAnotherKindDoNotHideTheDepth) {
    EXPECT_FALSE(parse_object("}}}}" + nested(40)));
    EXPECT_FALSE(parse_object(R"({"a\\": )" + nested(40) + "}"));
}

TEST(ParseObject, RefusesWhatIsNoObject) {
    for (const char* text : {"", "[]", "1", "{", R"({"a": "})", "{} {}"})
        EXPECT_FALSE(parse_object(text)) << text;
}

} // namespace
} // namespace commento
