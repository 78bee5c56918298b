#include "base/printable.hpp"

#include <gtest/gtest.h>

namespace commento {
namespace {

TEST(Harmless, ReplacesControlCharactersOnly) { EXPECT_EQ(harmless("a\x1b[2J\r\b\x7f z\n\tü"), "a?[2J??? z\n\tü"); }

} // namespace
} // namespace commento
