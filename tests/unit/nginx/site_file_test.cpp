#include "base/files.hpp"
#include "folder.hpp"
#include "nginx/site_file.hpp"

#include <cstdlib>
#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;

constexpr int kKilled = 99;

class SiteFile : public testing::Test {
  protected:
    SiteFile() {
        std::filesystem::create_directories(paths.nginx_site().parent_path());
        std::filesystem::create_directories(paths.nginx_state());
    }

    void there_is(const std::string& text) { ASSERT_TRUE(write_file(paths.nginx_site(), text, 0644)); }
    std::string site() const { return *read_site(paths); }
    bool has_former() const { return std::filesystem::exists(paths.nginx_state() / "former.conf"); }

    /// nginx as it is with a site it does not like: content with everything else.
    Acceptance refuses(const std::string& text) const {
        return [this, text]() -> Result<void> {
            if (site() == text)
                return fail(ErrorCode::web, "nginx: [emerg] refused");
            return {};
        };
    }

    Folder folder;
    Paths paths{folder.path()};
    Acceptance accepts = [] { return Result<void>(); };
    Acceptance refuses_all = [] { return Result<void>(fail(ErrorCode::web, "nginx: [emerg] in /etc/nginx/other")); };
};

TEST_F(SiteFile, IsReplacedWhenNginxAccepts) {
    there_is("old");
    EXPECT_TRUE(replace_site(paths, "new", accepts));
    EXPECT_EQ(site(), "new");
    EXPECT_FALSE(has_former());
}

TEST_F(SiteFile, IsTheFormerOneAgainWhenNginxRefuses) {
    there_is("old");
    const auto replaced = replace_site(paths, "new", refuses("new"));
    ASSERT_FALSE(replaced);
    EXPECT_EQ(replaced.error().code, ErrorCode::web);
    EXPECT_THAT(replaced.error().message, HasSubstr("does not accept the site of commento-stack"));
    EXPECT_THAT(replaced.error().message, HasSubstr("[emerg] refused"));
    EXPECT_EQ(site(), "old");
    EXPECT_FALSE(has_former());
}

TEST_F(SiteFile, IsGoneAgainWhenNginxRefusesTheFirstOne) {
    EXPECT_FALSE(replace_site(paths, "new", refuses("new")));
    EXPECT_FALSE(std::filesystem::exists(paths.nginx_site()));
    EXPECT_FALSE(has_former());
}

TEST_F(SiteFile, IsNotBlamedForTheFaultOfAnotherFile) {
    there_is("old");
    const auto replaced = replace_site(paths, "new", refuses_all);
    ASSERT_FALSE(replaced);
    EXPECT_THAT(replaced.error().message, HasSubstr("the site of commento-stack is not at fault"));
    EXPECT_THAT(replaced.error().message, HasSubstr("/etc/nginx/other"));
    EXPECT_EQ(site(), "old");
}

TEST_F(SiteFile, IsTheFormerOneAgainWhenNginxCannotBeAsked) {
    there_is("old");
    const auto replaced =
        replace_site(paths, "new", [] { return Result<void>(fail(ErrorCode::internal, "cannot start nginx")); });
    ASSERT_FALSE(replaced);
    EXPECT_EQ(replaced.error().code, ErrorCode::internal);
    EXPECT_EQ(site(), "old");
}

TEST_F(SiteFile, IsPutBackAfterACrashBeforeNginxWasAsked) {
    there_is("old");
    EXPECT_EXIT(static_cast<void>(replace_site(paths, "new", []() -> Result<void> { std::_Exit(kKilled); })),
                testing::ExitedWithCode(kKilled), "");
    ASSERT_EQ(site(), "new");
    EXPECT_TRUE(undo_unfinished(paths));
    EXPECT_EQ(site(), "old");
    EXPECT_FALSE(has_former());
}

TEST_F(SiteFile, IsRemovedAfterACrashOfTheFirstRun) {
    EXPECT_EXIT(static_cast<void>(replace_site(paths, "new", []() -> Result<void> { std::_Exit(kKilled); })),
                testing::ExitedWithCode(kKilled), "");
    EXPECT_TRUE(undo_unfinished(paths));
    EXPECT_FALSE(std::filesystem::exists(paths.nginx_site()));
}

TEST_F(SiteFile, StaysWhenNothingIsUnfinished) {
    there_is("good");
    EXPECT_TRUE(undo_unfinished(paths));
    EXPECT_EQ(site(), "good");
}

TEST_F(SiteFile, IsRemovedWithAllTraces) {
    there_is("good");
    ASSERT_TRUE(write_file(paths.nginx_state() / "former.conf", "older", 0644));
    EXPECT_TRUE(remove_site(paths));
    EXPECT_FALSE(std::filesystem::exists(paths.nginx_site()));
    EXPECT_FALSE(has_former());
    EXPECT_TRUE(remove_site(paths));
}

TEST_F(SiteFile, IsBlamedForWhatConcernsItsOwnFiles) {
    const Error error = explain_refusal(paths, "[emerg] cannot load certificate \"/var/lib/commento-stack/tls/…\"");
    EXPECT_THAT(error.message, testing::Not(HasSubstr("not at fault")));
}

TEST_F(SiteFile, IsLockedByOneRunAtATime) {
    const auto lock = lock_site(paths);
    ASSERT_TRUE(lock);
    EXPECT_TRUE(std::filesystem::exists(paths.nginx_state() / "lock"));
}

} // namespace
} // namespace commento
