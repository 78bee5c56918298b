#include "ctl/request.hpp"

#include <gtest/gtest.h>

namespace commento {
namespace {

TEST(RequestText, IsOneAssignmentOfAllWords) {
    EXPECT_EQ(request_text({"renew", "--force", "_.example.org", "2001-db8--1"}).value(),
              "ARGUMENTS=renew --force _.example.org 2001-db8--1\n");
    EXPECT_EQ(request_text({"account", "update", "--directory", "https://ca.example/dir?a=1&b=%20"}).value(),
              "ARGUMENTS=account update --directory https://ca.example/dir?a=1&b=%20\n");
}

TEST(RequestText, RefusesWordsThatSystemdWouldChange) {
    for (const std::string word : {"", "a b", "a\tb", "a\nB=c", "'a", "\"a", "a\\", "$HOME", "`a`", "\x7f", "ü"}) {
        const auto text = request_text({"import", "certbot", word});
        ASSERT_FALSE(text) << word;
        EXPECT_EQ(text.error().code, ErrorCode::settings) << word;
        EXPECT_NE(text.error().hint, "") << word;
    }
}

} // namespace
} // namespace commento
