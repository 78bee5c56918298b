#include "proof/webroot.hpp"

#include "base/files.hpp"
#include "folder.hpp"
#include "proof/http_listener.hpp"
#include "proof/prover.hpp"
#include "servers.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <thread>

namespace commento {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const Challenge kChallenge{"comments.example", "http-01", "", "token", "token.print"};

/// http-01 on a port of its own, as make_prover() makes it.
class Webroot : public testing::Test {
  protected:
    std::filesystem::path challenge_folder() const { return paths_.acme_webroot() / ".well-known/acme-challenge"; }

    std::unique_ptr<Prover> prover() const {
        const std::string text =
            fmt::format("DOMAIN=comments.example\nEMAIL=me@comments.example\nHTTP_PORT={}\n", port_);
        return make_prover(paths_, Settings::examine(text, "", paths_).settings);
    }

    /// A real nginx that answers for comments.example and, with the folder, for 192.0.2.1 and 2001:db8::1.
    std::unique_ptr<Child> nginx(const std::string& action) {
        EXPECT_TRUE(make_folder(challenge_folder(), 0755));
        const std::string config = fmt::format(R"(
            daemon off; user root; worker_processes 1; pid {0}/nginx.pid; error_log stderr;
            events {{ }}
            http {{
                access_log off; server_tokens off;
                client_body_temp_path {0}/body; proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/fastcgi;
                uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;
                server {{ listen 127.0.0.1:{1} default_server; return 421; }}
                server {{
                    listen 127.0.0.1:{1}; server_name comments.example 192.0.2.1 "[2001:db8::1]";
                    location /.well-known/acme-challenge/ {{ {2} }}
                }}
            }})",
                                               folder_.path().string(), port_, action);
        EXPECT_TRUE(write_file(folder_ / "nginx.conf", config, 0600));
        auto child = std::make_unique<Child>(
            std::vector<std::string>{"/usr/sbin/nginx", "-p", folder_.path(), "-c", folder_ / "nginx.conf"},
            folder_ / "log");
        wait_for_server(port_);
        return child;
    }
    std::string from_folder() const { return fmt::format("root {};", paths_.acme_webroot().string()); }

    std::string get(const std::string& token) const {
        const Fd socket = connected("127.0.0.1", port_);
        send_all(socket, fmt::format("GET /.well-known/acme-challenge/{} HTTP/1.1\r\nHost: comments.example\r\n"
                                     "Connection: close\r\n\r\n",
                                     token));
        return receive_all(socket);
    }

    Folder folder_;
    Paths paths_{folder_.path()};
    int port_ = free_port();
};

TEST_F(Webroot, ShowsChallengesThroughNginxAsLongAsTheProverLives) {
    const auto server = nginx(from_folder());
    {
        const auto made = prover();
        const auto checked = made->check({"comments.example", "192.0.2.1", "2001:db8::1"});
        ASSERT_TRUE(checked) << checked.error().message;
        ASSERT_TRUE(made->show(std::vector{kChallenge}));
        EXPECT_THAT(get("token"), EndsWith("\r\n\r\ntoken.print"));
    }
    EXPECT_THAT(get("token"), StartsWith("HTTP/1.1 404"));
    EXPECT_TRUE(std::filesystem::is_empty(challenge_folder()));
}

TEST_F(Webroot, IsClearedOfWhatKilledRunsLeft) {
    std::filesystem::create_directories(challenge_folder());
    ASSERT_TRUE(write_file(challenge_folder() / "left", "x", 0644));
    clear_challenges(paths_);
    EXPECT_TRUE(std::filesystem::is_empty(challenge_folder()));
}

TEST_F(Webroot, IsNotReachedWhereAnotherSiteHasTheName) {
    const auto server = nginx(from_folder());
    const auto checked = prover()->check({"comments.example", "other.example"});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::web);
    EXPECT_THAT(checked.error().message, AllOf(HasSubstr("for other.example"), HasSubstr("nginx"), HasSubstr("421")));
    EXPECT_THAT(checked.error().hint, HasSubstr(fmt::format("ss -ltnp 'sport = :{}'", port_)));
}

TEST_F(Webroot, IsNotReachedWhereAnotherFileIsShown) {
    const auto server = nginx("return 200 wrong;");
    const auto checked = prover()->check({"comments.example"});
    ASSERT_FALSE(checked);
    EXPECT_THAT(checked.error().message, AllOf(HasSubstr("for comments.example"), HasSubstr("status 200")));
}

TEST_F(Webroot, IsAskedAgainWhileNginxReloads) {
    const auto server = nginx("return 503;");
    std::thread reload([this] {
        EXPECT_TRUE(write_file(
            folder_ / "nginx.conf",
            [this] {
                std::string text = *read_file(folder_ / "nginx.conf");
                const std::string action = "return 503;";
                return text.replace(text.find(action), action.size(), from_folder());
            }(),
            0600));
        ::kill(std::stoi(*read_file(folder_ / "nginx.pid")), SIGHUP);
    });
    const auto checked = prover()->check({"comments.example"});
    reload.join();
    EXPECT_TRUE(checked) << checked.error().message;
}

TEST_F(Webroot, IsNotNeededWhereNothingListens) {
    const auto made = prover();
    const auto checked = made->check({"comments.example"});
    ASSERT_TRUE(checked) << checked.error().message;
    ASSERT_TRUE(made->show(std::vector{kChallenge}));
    EXPECT_THAT(get("token"), EndsWith("\r\n\r\ntoken.print"));
    EXPECT_FALSE(std::filesystem::exists(challenge_folder()));
}

TEST_F(Webroot, IsUsedWhereAServerIsOnItsWay) {
    std::optional<Result<Listener>> opened;
    std::thread restart([&] { opened.emplace(Listener::open(port_, "")); });
    EXPECT_TRUE(is_answered(port_));
    restart.join();
    EXPECT_TRUE(*opened);
}

TEST_F(Webroot, IsNotReplacedWhereAProgramListensElsewhereOnly) {
    const Fd other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    ::inet_pton(AF_INET, "127.0.0.2", &address.sin_addr);
    ASSERT_EQ(::bind(other.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(other.get(), 1), 0);
    const auto checked = prover()->check({"comments.example"});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::web);
    EXPECT_THAT(checked.error().hint, HasSubstr(fmt::format("ss -ltnp 'sport = :{}'", port_)));
}

TEST_F(Webroot, DoesNotFollowALinkInItsFolder) {
    ASSERT_TRUE(make_folder(challenge_folder(), 0755));
    ASSERT_TRUE(write_file(folder_ / "victim", "safe", 0600));
    ASSERT_TRUE(point_link(challenge_folder() / "token", folder_ / "victim"));
    EXPECT_EQ(ChallengeFile::place(paths_, "token", "x").error().code, ErrorCode::storage);
    EXPECT_EQ(*read_file(folder_ / "victim"), "safe");
}

} // namespace
} // namespace commento
