#include "base/error.hpp"

#include <cerrno>
#include <gtest/gtest.h>
#include <memory>
#include <set>

namespace commento {
namespace {

Result<int> halved(int number) {
    if (number % 2 != 0)
        return fail(ErrorCode::settings, "odd");
    return number / 2;
}

Result<int> quartered(int number) {
    COMMENTO_ASSIGN(const int half, halved(number));
    COMMENTO_CHECK(halved(half));
    return half / 2;
}

TEST(Error, IsHandedOnByTheMacros) {
    EXPECT_EQ(quartered(8).value(), 2);
    EXPECT_EQ(quartered(7).error().message, "odd");
    EXPECT_EQ(quartered(6).error().message, "odd");
}

TEST(Error, AssignMovesTheValueOut) {
    const auto taken = []() -> Result<int> {
        COMMENTO_ASSIGN(const auto owner, Result<std::unique_ptr<int>>(std::make_unique<int>(3)));
        return *owner;
    };
    EXPECT_EQ(taken().value(), 3);
}

TEST(Error, AppendsTheTextOfErrno) {
    const auto error = fail_errno(ErrorCode::storage, "cannot open x", ENOENT, "hint").value();
    EXPECT_EQ(error.code, ErrorCode::storage);
    EXPECT_EQ(error.message, "cannot open x: No such file or directory");
    EXPECT_EQ(error.hint, "hint");
}

TEST(Error, EveryCodeHasANumberOfItsOwnAndComesBackFromIt) {
    std::set<int> numbers;
#define EXIT_CODE(name, number, meaning)                                                                               \
    EXPECT_TRUE(numbers.insert(number).second) << #name;                                                               \
    EXPECT_EQ(code_of(number), ErrorCode::name);                                                                       \
    EXPECT_EQ(name_of(ErrorCode::name), #name);
#include "base/exit_codes.def"
#undef EXIT_CODE
    // 0 is success; from 64 on numbers have meanings of their own (sysexits.h, systemd.exec(5)).
    EXPECT_GT(*numbers.begin(), 0);
    EXPECT_LT(*numbers.rbegin(), 64);
}

TEST(Error, AForeignExitStatusIsInternal) {
    EXPECT_EQ(code_of(0), ErrorCode::internal);
    EXPECT_EQ(code_of(203), ErrorCode::internal);
}

} // namespace
} // namespace commento
