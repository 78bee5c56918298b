#include "proof/http_listener.hpp"

#include "servers.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(RequestedToken, IsThatOfTheChallengePath) {
    EXPECT_EQ(requested_token("GET /.well-known/acme-challenge/a-B_9 HTTP/1.1\r\nHost: comments.example\r\n\r\n"),
              "a-B_9");
    EXPECT_EQ(requested_token("GET /.well-known/acme-challenge/x HTTP/1.0\r\n\r\n"), "x");
}

TEST(RequestedToken, IsNoneInAnyOtherRequest) {
    for (const std::string line :
         {"", "GET", "GET / HTTP/1.1", "POST /.well-known/acme-challenge/x HTTP/1.1",
          "HEAD /.well-known/acme-challenge/x HTTP/1.1", "GET /.well-known/acme-challenge/",
          "GET /.well-known/acme-challenge/ HTTP/1.1", "GET /.well-known/acme-challenge/x",
          "GET /.well-known/acme-challenge/../x HTTP/1.1", "GET /.well-known/acme-challenge/x?y HTTP/1.1",
          "GET /.well-known/acme-challenge/%41 HTTP/1.1", "GET  /.well-known/acme-challenge/x HTTP/1.1",
          "GET /x HTTP/1.1"})
        EXPECT_EQ(requested_token(line + "\r\n\r\n"), std::nullopt) << line;
    EXPECT_EQ(requested_token(std::string_view("GET /.well-known/acme-challenge/x\0 HTTP/1.1\r\n\r\n", 47)),
              std::nullopt);
    EXPECT_EQ(requested_token("\r\nGET /.well-known/acme-challenge/x HTTP/1.1\r\n\r\n"), std::nullopt);
}

class HttpListener : public testing::Test {
  protected:
    void SetUp() override {
        auto opened = Listener::open(port_, "the hint");
        ASSERT_TRUE(opened) << opened.error().message;
        listener_.emplace(std::move(*opened));
        ASSERT_TRUE(listener_->serve(answer_http({{"token", "token.print"}, {"other", "other.print"}})));
    }

    std::string get(const std::string& path, const std::string& address = "127.0.0.1") const {
        const Fd socket = connected(address, port_);
        send_all(socket, "GET " + path + " HTTP/1.1\r\nHost: comments.example\r\n\r\n");
        return receive_all(socket);
    }

    int port_ = free_port();
    std::optional<Listener> listener_;
};

const std::string kToken = "/.well-known/acme-challenge/token";

TEST_F(HttpListener, ShowsEachChallenge) {
    EXPECT_THAT(get(kToken), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nContent-Length: 11\r\n"),
                                   EndsWith("\r\n\r\ntoken.print")));
    EXPECT_THAT(get("/.well-known/acme-challenge/other"), EndsWith("\r\n\r\nother.print"));
}

TEST_F(HttpListener, HasNothingElse) {
    for (const std::string path : {"/", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/tok"})
        EXPECT_THAT(get(path), StartsWith("HTTP/1.1 404 Not Found\r\n")) << path;
}

TEST_F(HttpListener, IsThereOverIpv6WhereTheHostHasIt) {
    const Fd probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 loopback{};
    loopback.sin6_family = AF_INET6;
    loopback.sin6_addr = in6addr_loopback;
    const bool has_ipv6 = ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0;
    EXPECT_EQ(get(kToken, "::1").ends_with("token.print"), has_ipv6);
}

TEST_F(HttpListener, ServesSeveralAtOnceHoweverSlow) {
    std::vector<Fd> clients;
    for (int i = 0; i < 20; ++i)
        clients.push_back(connected("127.0.0.1", port_));
    for (const std::string& part : {"GET " + kToken, std::string(" HTTP/1.1\r\nHo"), std::string("st: x\r\n\r\n")}) {
        for (const auto& client : clients)
            send_all(client, part);
    }
    for (const auto& client : clients)
        EXPECT_THAT(receive_all(client), EndsWith("token.print"));
}

TEST_F(HttpListener, CutsOffARequestWithoutEnd) {
    const Fd client = connected("127.0.0.1", port_);
    send_all(client, "GET " + kToken + " HTTP/1.1\r\nX: ");
    for (int i = 0; i < 100; ++i)
        send_all(client, std::string(1000, 'x'));
    EXPECT_THAT(receive_all(client), IsEmpty());
    EXPECT_THAT(get(kToken), EndsWith("token.print"));
}

TEST_F(HttpListener, TakesThePlaceOfSilentClientsAway) {
    std::vector<Fd> silent;
    for (int i = 0; i < 64; ++i)
        silent.push_back(connected("127.0.0.1", port_));
    EXPECT_THAT(get(kToken), EndsWith("token.print"));
    for (const auto& client : silent)
        EXPECT_THAT(receive_all(client), IsEmpty());
}

TEST_F(HttpListener, SaysThatAnotherProgramHasThePort) {
    const auto second = Listener::open(port_, "the hint");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::web);
    EXPECT_THAT(second.error().message, HasSubstr(std::to_string(port_) + ": Address already in use"));
    EXPECT_EQ(second.error().hint, "the hint");
}

TEST_F(HttpListener, GivesThePortBackWhoeverIsConnected) {
    const Fd client = connected("127.0.0.1", port_);
    EXPECT_THAT(get(kToken), EndsWith("token.print"));
    listener_.reset();
    EXPECT_THAT(receive_all(client), IsEmpty());
    EXPECT_FALSE(connected("127.0.0.1", port_));
    EXPECT_TRUE(Listener::open(port_, ""));
}

TEST_F(HttpListener, AnswersWhoCameBeforeItServed) {
    listener_.reset();
    auto opened = Listener::open(port_, "");
    ASSERT_TRUE(opened);
    const Fd early = connected("127.0.0.1", port_);
    send_all(early, "GET " + kToken + " HTTP/1.1\r\n\r\n");
    ASSERT_TRUE(opened->serve(answer_http({{"token", "token.print"}})));
    EXPECT_THAT(receive_all(early), EndsWith("token.print"));
}

} // namespace
} // namespace commento
