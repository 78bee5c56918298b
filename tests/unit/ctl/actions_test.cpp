#include "ctl/actions.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;

class CallHelper : public testing::Test {
  protected:
    /// A program in the helper's place.
    void write_helper(const std::string& script) const {
        const auto file = paths_.helper("commento-cert");
        ASSERT_TRUE(make_folder(file.parent_path(), 0755));
        ASSERT_TRUE(write_file(file, "#!/bin/sh\n" + script, 0755));
    }
    Result<std::string> call(std::vector<std::string> arguments = {}) const {
        return call_helper(paths_, "commento-cert", std::move(arguments));
    }

  private:
    Folder folder_;
    Paths paths_{folder_.path()};
};

TEST_F(CallHelper, ReturnsWhatItPrintsHoweverLongThatIs) {
    write_helper("head -c 2000000 /dev/zero | tr '\\0' x; printf '%s.' \"$@\"");
    const auto output = call({"list", "a b"});
    ASSERT_TRUE(output) << output.error().message;
    EXPECT_EQ(output->size(), 2000000U + 9);
    EXPECT_THAT(*output, testing::EndsWith("xlist.a b."));
}

TEST_F(CallHelper, KeepsWhatItLogsApart) {
    write_helper("echo 'warning: error: no' >&2; echo '[]'");
    testing::internal::CaptureStderr();
    EXPECT_EQ(call().value(), "[]\n");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: error: no\n");
}

TEST_F(CallHelper, FailsAsItDid) {
    write_helper("echo 'info: one' >&2; echo 'error: two\nthree\nhint: four\n and five' >&2; exit 4");
    testing::internal::CaptureStderr();
    const auto output = call();
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "info: one\n");
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().code, ErrorCode::storage);
    EXPECT_EQ(output.error().message, "two\nthree");
    EXPECT_EQ(output.error().hint, "four\n and five");
}

TEST_F(CallHelper, SaysHowItEndedWhereItSaidNothing) {
    write_helper("exit 77");
    const auto output = call();
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().code, ErrorCode::internal);
    EXPECT_THAT(output.error().message, HasSubstr("status 77"));
}

TEST_F(CallHelper, SaysWhereNoHelperIs) { EXPECT_THAT(call().error().message, HasSubstr("commento-cert")); }

} // namespace
} // namespace commento
