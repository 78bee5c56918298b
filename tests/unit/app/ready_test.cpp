#include "app/ready.hpp"

#include "base/fd.hpp"

#include <array>
#include <csignal>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kHealthy = R"({"commentCounts":{},"success":true})";

/// Answers every request below a path on a port of its own: status and body.
class Server {
  public:
    Server(const std::string& status, const std::string& body, std::string path = "/")
        : answer_("HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
                  "\r\n\r\n" + body),
          path_(std::move(path)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        EXPECT_EQ(::listen(socket_.get(), 8), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~Server() {
        ::shutdown(socket_.get(), SHUT_RDWR);
        thread_.join();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    int port() const { return port_; }

  private:
    void serve() const {
        while (true) {
            const Fd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!client)
                return;
            std::array<char, 4096> request{};
            std::ignore = ::recv(client.get(), request.data(), request.size(), 0);
            const bool is_below = std::string_view(request.data(), request.size()).find(" " + path_) != npos;
            const std::string& answer = is_below ? answer_ : kNotFound;
            std::ignore = ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
            ::shutdown(client.get(), SHUT_WR);
            std::ignore = ::recv(client.get(), request.data(), request.size(), 0);
        }
    }

    static constexpr auto npos = std::string_view::npos;
    inline static const std::string kNotFound = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

    std::string answer_;
    std::string path_;
    Fd socket_;
    int port_ = 0;
    std::thread thread_;
};

/// A process that lives until it is told to end.
class Process {
  public:
    Process() : id_(::fork()) {
        if (id_ == 0) {
            ::pause();
            ::_exit(0);
        }
    }
    ~Process() {
        end();
        ::waitpid(id_, nullptr, 0);
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t id() const { return id_; }
    void end() const { ::kill(id_, SIGKILL); }

  private:
    pid_t id_;
};

TEST(WaitUntilReady, ReturnsWhenPageAndDatabaseAnswer) {
    const Process process;
    const Server server("200 OK", kHealthy);
    const auto ready = wait_until_ready(server.port(), "", process.id());
    EXPECT_TRUE(ready) << ready.error().message;
}

TEST(WaitUntilReady, AsksBelowThePathOfTheApplicationsAddress) {
    const Process process;
    const Server server("200 OK", kHealthy, "/talk/");
    const auto ready = wait_until_ready(server.port(), "/talk", process.id());
    EXPECT_TRUE(ready) << ready.error().message;
}

TEST(WaitUntilReady, EndsWithTheProcessThoughTheDatabaseNeverAnswered) {
    const Process process;
    const Server server("200 OK", R"({"success":false,"message":"Some internal error occurred."})");
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        process.end();
    });
    const auto ready = wait_until_ready(server.port(), "", process.id());
    later.join();
    ASSERT_FALSE(ready);
    EXPECT_EQ(ready.error().code, ErrorCode::application);
    EXPECT_THAT(ready.error().message, HasSubstr("ended before it answered"));
    EXPECT_THAT(ready.error().hint, HasSubstr("journalctl -u commento"));
}

TEST(WaitUntilReady, EndsAtOnceWhereTheProcessIsGoneAlready) {
    pid_t gone = 0;
    {
        const Process process;
        gone = process.id();
    }
    const auto ready = wait_until_ready(1, "", gone);
    ASSERT_FALSE(ready);
    EXPECT_THAT(ready.error().message, HasSubstr("ended before it answered"));
}

// As Linux 6.1 prints it.
constexpr const char* kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998        0 22 1 0 100 0 0 10 0\n"
    "   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 23 1 0 100 0 0 10 0\n"
    "   2: 0100007F:1F91 0100007F:A0B0 01 00000000:00000000 00:00000000 00000000   997        0 24 1 0 100 0 0 10 0\n"
    "   3: 050200C0:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 25 1 0 100 0 0 10 0\n";

TEST(Listener, IsTheUserWhoListensOnTheLocalPort) {
    EXPECT_EQ(listener(kTable, 8080), 998U);
    EXPECT_EQ(listener(kTable, 80), 0U);
}

TEST(Listener, IsNobodyForConnectionsAndOtherAddresses) {
    EXPECT_EQ(listener(kTable, 8081), std::nullopt);
    EXPECT_EQ(listener(kTable, 8082), std::nullopt);
    EXPECT_EQ(listener("", 8080), std::nullopt);
}

} // namespace
} // namespace commento
