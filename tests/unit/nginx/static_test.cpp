#include "nginx/static.hpp"

#include "base/files.hpp"
#include "file_size_limit.hpp"
#include "folder.hpp"
#include "servers.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string long_text(const std::string& word) {
    std::string text;
    for (int i = 0; i < 300; ++i)
        text += fmt::format("{} {}\n", word, i);
    return text;
}

/// The application: a real nginx that shows a folder, and pages without their ending. What it answers is not what the
/// release holds.
class Static : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(folder_ / "answers/js");
        fs::create_directories(folder_ / "answers/css");
        set_settings("");
        hold("js/commento.js", "[[[.Origin]]]");
        hold("css/commento.css", "css");
        hold("login.html", "page");
        hold("footer.html", "no page of its own");
        answer("js/commento.js", long_text("script"));
        answer("css/commento.css", "short");
        answer("login", long_text("<p>login</p>"));
    }

    /// A file of the release.
    void hold(const std::string& name, const std::string& content) const {
        const fs::path file = paths_.app_current() / name;
        fs::create_directories(file.parent_path());
        ASSERT_TRUE(write_file(file, content, 0644));
    }

    void answer(const std::string& path, const std::string& content) const {
        const fs::path file = folder_ / "answers" / path;
        fs::create_directories(file.parent_path());
        ASSERT_TRUE(write_file(file, content, 0644));
    }

    void set_settings(const std::string& more) const {
        fs::create_directories(paths_.settings().parent_path());
        ASSERT_TRUE(write_file(
            paths_.settings(),
            fmt::format("DOMAIN=comments.example.org\nEMAIL=you@example.org\nCOMMENTO_PORT={}\n{}", port_, more),
            0644));
    }

    void start() {
        const std::string config = fmt::format(R"(
            daemon off; master_process off; pid {0}/nginx.pid; error_log stderr;
            events {{ }}
            http {{
                access_log off;
                client_body_temp_path {0}/body; proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/fastcgi;
                uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;
                server {{ listen 127.0.0.1:{1}; root {0}/answers; }}
            }})",
                                               folder_.path().string(), port_);
        ASSERT_TRUE(write_file(folder_ / "nginx.conf", config, 0600));
        server_ = std::make_unique<Child>(
            std::vector<std::string>{"/usr/sbin/nginx", "-p", folder_.path(), "-c", folder_ / "nginx.conf"},
            folder_ / "log");
        wait_for_server(port_);
    }

    std::string live(const std::string& path) const { return read_file(paths_.static_live() / path).value_or("none"); }

    bool exists(const std::string& path) const { return fs::exists(paths_.static_live() / path); }

    struct stat status_of(const std::string& path) const {
        struct stat status {};
        EXPECT_EQ(::stat((paths_.static_live() / path).c_str(), &status), 0) << path;
        return status;
    }

    std::vector<std::string> generations() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(paths_.static_folder() / "generations"))
            names.push_back(entry.path().filename());
        std::ranges::sort(names);
        return names;
    }

    Folder folder_;
    Paths paths_{folder_ / "root"};
    int port_ = free_port();
    std::unique_ptr<Child> server_;
};

TEST_F(Static, IsWhatTheApplicationAnswersAndNotWhatTheReleaseHolds) {
    start();
    const auto done = render_static(paths_);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(live("files/js/commento.js"), long_text("script"));
    EXPECT_EQ(live("files/css/commento.css"), "short");
    EXPECT_EQ(live("pages/login.html"), long_text("<p>login</p>"));
    EXPECT_FALSE(exists("pages/footer.html")) << "the application has no such page";
}

TEST_F(Static, HasCompressedFormsWhereTheyAreSmaller) {
    std::string noise(1000, '\0');
    unsigned int state = 1;
    for (char& c : noise)
        c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24U);
    hold("images/noise.png", "x");
    answer("images/noise.png", noise);
    start();
    ASSERT_TRUE(render_static(paths_));
    for (const char* path : {"files/js/commento.js", "pages/login.html"}) {
        EXPECT_LT(status_of(std::string(path) + ".gz").st_size, status_of(path).st_size);
        EXPECT_LT(status_of(std::string(path) + ".br").st_size, status_of(std::string(path) + ".gz").st_size);
    }
    for (const char* path : {"files/css/commento.css.gz", "files/images/noise.png.gz", "files/images/noise.png.br"})
        EXPECT_FALSE(exists(path)) << path;
}

TEST_F(Static, HasThePathOfTheOriginBeforeEachAddress) {
    set_settings("COMMENTO_ORIGIN=https://example.org/talk\n");
    fs::create_directories(folder_ / "answers/talk");
    fs::rename(folder_ / "answers/js", folder_ / "answers/talk/js");
    start();
    ASSERT_TRUE(render_static(paths_));
    EXPECT_EQ(live("files/talk/js/commento.js"), long_text("script"));
}

TEST_F(Static, IsNotTouchedWhereNothingChanged) {
    start();
    ASSERT_TRUE(render_static(paths_));
    ASSERT_TRUE(render_static(paths_));
    EXPECT_THAT(generations(), ElementsAre("0001"));
}

TEST_F(Static, KeepsTimesAndCompressedFormsOfWhatStayedTheSame) {
    start();
    ASSERT_TRUE(render_static(paths_));
    const auto before = status_of("files/js/commento.js.br");
    const auto page = status_of("pages/login.html");
    answer("login", long_text("<p>LOGIN</p>"));
    ASSERT_TRUE(render_static(paths_));
    EXPECT_THAT(generations(), ElementsAre("0001", "0002"));
    EXPECT_EQ(status_of("files/js/commento.js.br").st_ino, before.st_ino);
    EXPECT_EQ(status_of("files/js/commento.js").st_mtime, before.st_mtime);
    EXPECT_EQ(status_of("pages/login.html").st_size, page.st_size);
    EXPECT_NE(status_of("pages/login.html").st_mtime, page.st_mtime) << "nginx's ETag is made of time and length";
}

TEST_F(Static, FollowsFilesThatComeAndGo) {
    start();
    ASSERT_TRUE(render_static(paths_));
    fs::remove(folder_ / "answers/css/commento.css");
    hold("js/count.js", "x");
    answer("js/count.js", "count");
    ASSERT_TRUE(render_static(paths_));
    EXPECT_FALSE(exists("files/css/commento.css"));
    EXPECT_EQ(live("files/js/count.js"), "count");
}

TEST_F(Static, KeepsTheLiveGenerationAndTheFormerOne) {
    start();
    for (const char* word : {"a", "b", "c", "d"}) {
        answer("css/commento.css", word);
        ASSERT_TRUE(render_static(paths_));
    }
    EXPECT_THAT(generations(), ElementsAre("0003", "0004"));
    EXPECT_EQ(live("files/css/commento.css"), "d");
}

TEST_F(Static, StaysAsItIsWhereTheApplicationIsAway) {
    start();
    ASSERT_TRUE(render_static(paths_));
    server_.reset();
    const auto done = render_static(paths_);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::application);
    EXPECT_THAT(done.error().hint, HasSubstr("commento.service"));
    EXPECT_EQ(live("files/js/commento.js"), long_text("script"));
}

TEST_F(Static, IsNotReplacedByNothing) {
    start();
    ASSERT_TRUE(render_static(paths_));
    fs::remove_all(folder_ / "answers");
    EXPECT_FALSE(render_static(paths_));
    EXPECT_EQ(live("files/js/commento.js"), long_text("script"));
}

TEST_F(Static, LeavesOutOddNames) {
    for (const char* name : {"js/.hidden.js", "js/a b.js", "js/x.js.gz", "js/quote\".js"}) {
        hold(name, "x");
        answer(name, "x");
    }
    start();
    ASSERT_TRUE(render_static(paths_));
    EXPECT_EQ(std::distance(fs::directory_iterator(paths_.static_live() / "files/js"), {}), 3) << "one, and two forms";
}

TEST_F(Static, HasTimesThatAnotherHostWouldGiveItToo) {
    start();
    ASSERT_TRUE(render_static(paths_));
    const auto first = status_of("files/js/commento.js");
    EXPECT_GE(first.st_mtime, 978'307'200) << "2001";
    EXPECT_LT(first.st_mtime, 2'082'758'400) << "2036";
    EXPECT_EQ(status_of("files/js/commento.js.gz").st_mtime, first.st_mtime);
    EXPECT_EQ(status_of("files/js/commento.js.br").st_mtime, first.st_mtime);

    fs::remove_all(paths_.static_folder());
    ASSERT_TRUE(render_static(paths_));
    EXPECT_EQ(status_of("files/js/commento.js").st_mtime, first.st_mtime);
}

TEST_F(Static, AsksTheApplicationAndNotAProxyOfTheEnvironment) {
    start();
    ::setenv("http_proxy", fmt::format("http://127.0.0.1:{}", free_port()).c_str(), 1);
    const auto done = render_static(paths_);
    ::unsetenv("http_proxy");
    EXPECT_TRUE(done) << done.error().message;
}

TEST_F(Static, StaysAsItIsAndTakesNoRoomWhereTheDiskIsFull) {
    start();
    ASSERT_TRUE(render_static(paths_));
    answer("js/commento.js", long_text("another script"));
    Result<void> done;
    {
        const FileSizeLimit limit(100);
        done = render_static(paths_);
    }
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::storage);
    EXPECT_EQ(live("files/js/commento.js"), long_text("script"));
    EXPECT_THAT(generations(), ElementsAre("0001"));

    ASSERT_TRUE(render_static(paths_));
    EXPECT_EQ(live("files/js/commento.js"), long_text("another script"));
}

TEST_F(Static, IsLeftToItsOwner) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "only root may give files away";
    constexpr uid_t kNobody = 65534;
    fs::create_directories(paths_.static_folder());
    ASSERT_EQ(::chown(paths_.static_folder().c_str(), kNobody, kNobody), 0);
    const auto done = render_static(paths_);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::permission);
    EXPECT_THAT(done.error().hint, HasSubstr("systemctl start commento-nginx-static"));
    EXPECT_TRUE(fs::is_empty(paths_.static_folder()));
}

TEST_F(Static, IsClearedOfWhatKilledRunsLeftThoughNothingElseIsDue) {
    start();
    ASSERT_TRUE(render_static(paths_));
    const fs::path left = paths_.static_folder() / "generations/.unfinished/files/js";
    fs::create_directories(left);
    fs::create_symlink("generations/0009", paths_.static_folder() / ".live.4711.tmp");
    ASSERT_TRUE(render_static(paths_));
    EXPECT_THAT(generations(), ElementsAre("0001"));
    EXPECT_FALSE(fs::is_symlink(paths_.static_folder() / ".live.4711.tmp"));
}

TEST_F(Static, IsClearedOfWhatKilledRunsLeft) {
    const fs::path left = paths_.static_folder() / "generations/.unfinished/files/js";
    fs::create_directories(left);
    ASSERT_TRUE(write_file(left / "old.js", "x", 0644));
    start();
    ASSERT_TRUE(render_static(paths_));
    EXPECT_FALSE(exists("files/js/old.js"));
    EXPECT_THAT(generations(), ElementsAre("0001"));
}

} // namespace
} // namespace commento
