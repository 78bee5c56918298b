#include "net/http.hpp"

#include "base/files.hpp"
#include "folder.hpp"
#include "net/server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <mutex>
#include <vector>

namespace commento {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string answer(const std::string& body, const std::string& head = "200 OK") {
    return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", head, body.size(), body);
}

/// Keeps the requests and answers each one by `reply`.
class Recorder {
  public:
    explicit Recorder(std::function<std::string(const std::string&)> reply) : reply_(std::move(reply)) {}

    Server::Handler handler() {
        return [this](Peer& peer) {
            for (std::string request; !(request = peer.read_request()).empty();) {
                keep(request); // before the answer: who gets it may look at once
                peer.write(reply_(request));
            }
        };
    }

    std::vector<std::string> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

  private:
    void keep(const std::string& request) {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
    }

    std::function<std::string(const std::string&)> reply_;
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
};

std::string url_of(const Server& server, const std::string& path = "/") {
    return fmt::format("http://127.0.0.1:{}{}", server.port(), path);
}

TEST(HttpClient, GivesStatusHeadersAndBody) {
    Recorder recorder([](const std::string&) { return answer("gone", "410 Gone\r\nX-Some:  A Value \r\nLink: one"); });
    const Server server(recorder.handler());
    HttpClient client;
    const auto response = client.send({.url = url_of(server, "/path")});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 410);
    EXPECT_EQ(response->header("x-some"), "A Value");
    EXPECT_EQ(response->header("no-such"), "");
    EXPECT_EQ(response->body, "gone");
}

TEST(HttpClient, SendsMethodHeadersAndBodyOverOneConnection) {
    Recorder recorder([](const std::string& request) {
        return request.starts_with("HEAD") ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : answer("x");
    });
    const Server server(recorder.handler());
    {
        HttpClient client;
        ASSERT_TRUE(client.send({.method = "HEAD", .url = url_of(server, "/one")}));
        ASSERT_TRUE(client.send({.method = "POST",
                                 .url = url_of(server, "/two"),
                                 .body = "{\"a\":1}",
                                 .headers = {{"Content-Type", "application/jose+json"}}}));
        ASSERT_TRUE(client.send({.url = url_of(server, "/three")}));
        EXPECT_EQ(server.connections(), 1);
    }
    const auto requests = recorder.requests();
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_THAT(requests[0], StartsWith("HEAD /one "));
    EXPECT_THAT(requests[1], AllOf(StartsWith("POST /two "), HasSubstr("Content-Type: application/jose+json\r\n"),
                                   HasSubstr("\r\n\r\n{\"a\":1}")));
    EXPECT_THAT(requests[2], AllOf(StartsWith("GET /three "), Not(HasSubstr("jose"))));
}

TEST(HttpClient, DoesNotFollowARedirect) {
    Recorder recorder([](const std::string&) { return answer("", "302 Found\r\nLocation: /other"); });
    const Server server(recorder.handler());
    HttpClient client;
    const auto response = client.send({.url = url_of(server)});
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 302);
    EXPECT_EQ(response->header("location"), "/other");
}

TEST(HttpClient, AsksTheAddressThatItWasTold) {
    Recorder recorder([](const std::string&) { return answer("here"); });
    const Server server(recorder.handler());
    {
        HttpClient client;
        client.resolve("comments.example", server.port(), "127.0.0.1");
        ASSERT_TRUE(client.send({.url = fmt::format("http://comments.example:{}/", server.port())}));
    }
    EXPECT_THAT(recorder.requests().at(0), HasSubstr("Host: comments.example:"));
}

TEST(HttpClient, RefusesABodyBeyondTheLimit) {
    Recorder recorder([](const std::string&) { return answer(std::string(1001, 'x')); });
    const Server server(recorder.handler());
    HttpClient small({.body = 1000});
    const auto refused = small.send({.url = url_of(server)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::network);
    EXPECT_THAT(refused.error().message, HasSubstr("larger than 1000 bytes"));
}

TEST(HttpClient, RefusesABodyWithoutEnd) {
    const Server server([](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\n\r\n");
        peer.write(std::string(1U << 20U, 'x'));
    });
    HttpClient client({.body = 1000});
    EXPECT_THAT(client.send({.url = url_of(server)}).error().message, HasSubstr("larger than 1000 bytes"));
}

TEST(HttpClient, RefusesHeadersBeyondTheLimit) {
    const Server server([](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 1000; ++i)
            peer.write(fmt::format("X-{}: value\r\n", i));
        peer.write("\r\n");
    });
    HttpClient client({.body = 1000});
    EXPECT_THAT(client.send({.url = url_of(server)}).error().message, HasSubstr("larger than 1000 bytes"));
}

TEST(HttpClient, DoesNotWaitLongerThanTheLimitForASilentServer) {
    const Server server([](Peer& peer) {
        while (!peer.read().empty()) {
        }
    });
    HttpClient client({.total = 50ms});
    const auto response = client.send({.url = url_of(server)});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::network);
    EXPECT_THAT(response.error().hint, HasSubstr("firewall"));
}

TEST(HttpClient, SaysThatTheConnectionWasCut) {
    const Server server([](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    });
    HttpClient client;
    const auto response = client.send({.url = url_of(server)});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::network);
    EXPECT_THAT(response.error().message, StartsWith(url_of(server)));
}

TEST(HttpClient, NamesAServerThatIsNotThere) {
    std::string url;
    {
        const Server server([](Peer&) {});
        url = url_of(server);
    }
    HttpClient client;
    const auto response = client.send({.url = url});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::network);
    EXPECT_THAT(response.error().message, StartsWith(url));
}

TEST(HttpClient, SpeaksHttpOnly) {
    HttpClient client;
    EXPECT_EQ(client.send({.url = "file:///etc/passwd"}).error().code, ErrorCode::network);
}

/// A server over TLS and a client that trusts it.
class Secure : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(write_file(folder_ / "ca.pem", certificate_.pem(), 0644)); }

    std::filesystem::path file() const { return folder_ / "download"; }
    std::string content() const { return read_file(file()).value_or("(no file)"); }
    std::string url(const Server& server) const { return fmt::format("https://127.0.0.1:{}/release", server.port()); }
    Result<void> download(const std::string& address, std::uint64_t limit = 1000000) {
        HttpClient client;
        client.trust_only(folder_ / "ca.pem");
        return client.download(address, file(), limit,
                               [this](std::uint64_t total, std::uint64_t now) { progress_.emplace_back(total, now); });
    }

    Folder folder_;
    TestCertificate certificate_{"comments.example"};
    std::vector<std::pair<std::uint64_t, std::uint64_t>> progress_;
};

TEST_F(Secure, TrustsOnlyWhatItWasTold) {
    Recorder recorder([](const std::string&) { return answer("x"); });
    const Server server(recorder.handler(), &certificate_);
    HttpClient stranger;
    const auto refused = stranger.send({.url = url(server)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::network);
    EXPECT_THAT(refused.error().hint, HasSubstr("clock"));
    HttpClient other_name;
    other_name.trust_only(folder_ / "ca.pem");
    other_name.resolve("other.example", server.port(), "127.0.0.1");
    EXPECT_FALSE(other_name.send({.url = fmt::format("https://other.example:{}/", server.port())}));
    HttpClient friendly;
    friendly.trust_only(folder_ / "ca.pem");
    EXPECT_TRUE(friendly.send({.url = url(server)}));
}

TEST_F(Secure, NamesAFileOfAuthoritiesThatIsNotThere) {
    HttpClient client;
    client.trust_only(folder_ / "missing.pem");
    const auto refused = client.send({.url = "https://127.0.0.1:9/"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::network);
}

TEST_F(Secure, DownloadsAWholeFileAndTellsItsProgress) {
    Recorder recorder([](const std::string&) { return answer("0123456789"); });
    const Server server(recorder.handler(), &certificate_);
    ASSERT_TRUE(download(url(server)));
    EXPECT_EQ(content(), "0123456789");
    ASSERT_FALSE(progress_.empty());
    EXPECT_EQ(progress_.back(), std::make_pair(std::uint64_t{10}, std::uint64_t{10}));
}

TEST_F(Secure, GoesOnWhereADownloadBroke) {
    Recorder recorder([](const std::string& request) {
        return request.find("Range: bytes=4-") == std::string::npos
                   ? answer("wrong", "500 No")
                   : answer("456789", "206 Partial Content\r\nContent-Range: bytes 4-9/10");
    });
    const Server server(recorder.handler(), &certificate_);
    ASSERT_TRUE(write_file(file(), "0123", 0600));
    ASSERT_TRUE(download(url(server)));
    EXPECT_EQ(content(), "0123456789");
    EXPECT_EQ(progress_.back(), std::make_pair(std::uint64_t{10}, std::uint64_t{10}));
}

TEST_F(Secure, KeepsWhatCameBeforeTheConnectionWasCut) {
    const Server server(
        [](Peer& peer) {
            peer.read_request();
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
        },
        &certificate_);
    const auto broken = download(url(server));
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, ErrorCode::network);
    EXPECT_EQ(content(), "0123");
}

TEST_F(Secure, BeginsAnewWhereTheServerCanNotGoOn) {
    Recorder recorder([](const std::string&) { return answer("0123456789"); });
    const Server server(recorder.handler(), &certificate_);
    ASSERT_TRUE(write_file(file(), "old!", 0600));
    ASSERT_TRUE(download(url(server)));
    EXPECT_EQ(content(), "0123456789");
}

TEST_F(Secure, BeginsAnewWhereNothingComesAfterThePart) {
    Recorder recorder([](const std::string& request) {
        return request.find("Range:") == std::string::npos
                   ? answer("0123456789")
                   : answer("", "416 Range Not Satisfiable\r\nContent-Range: bytes */10");
    });
    const Server server(recorder.handler(), &certificate_);
    ASSERT_TRUE(write_file(file(), "0123456789", 0600));
    ASSERT_TRUE(download(url(server)));
    EXPECT_EQ(content(), "0123456789");
}

TEST_F(Secure, KeepsItsFileWhenTheServerRefuses) {
    Recorder recorder([](const std::string&) { return answer("not found", "404 Not Found"); });
    const Server server(recorder.handler(), &certificate_);
    ASSERT_TRUE(write_file(file(), "0123", 0600));
    const auto refused = download(url(server));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("404"));
    EXPECT_EQ(content(), "0123");
}

TEST_F(Secure, DownloadsNoMoreThanTheLimit) {
    Recorder recorder([](const std::string&) { return answer("0123456789"); });
    const Server server(recorder.handler(), &certificate_);
    const auto refused = download(url(server), 9);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("larger than 9 bytes"));
    EXPECT_TRUE(download(url(server), 10));
}

TEST_F(Secure, FollowsARedirectOverTls) {
    Recorder recorder([](const std::string& request) {
        return request.starts_with("GET /release ") ? answer("moved", "302 Found\r\nLocation: /final") : answer("here");
    });
    const Server server(recorder.handler(), &certificate_);
    ASSERT_TRUE(download(url(server)));
    EXPECT_EQ(content(), "here");
}

TEST_F(Secure, DoesNotFollowARedirectToPlainHttp) {
    Recorder plain([](const std::string&) { return answer("evil"); });
    const Server other(plain.handler());
    Recorder recorder([&](const std::string&) { return answer("", "302 Found\r\nLocation: " + url_of(other)); });
    const Server server(recorder.handler(), &certificate_);
    EXPECT_FALSE(download(url(server)));
    EXPECT_FALSE(download(url_of(other)));
    EXPECT_EQ(other.connections(), 0);
}

TEST_F(Secure, EndsARedirectWithoutEnd) {
    Recorder recorder([](const std::string&) { return answer("", "302 Found\r\nLocation: /release"); });
    const Server server(recorder.handler(), &certificate_);
    ASSERT_FALSE(download(url(server)));
    EXPECT_EQ(recorder.requests().size(), 11U);
}

TEST_F(Secure, DoesNotWriteThroughALink) {
    Recorder recorder([](const std::string&) { return answer("x"); });
    const Server server(recorder.handler(), &certificate_);
    ASSERT_TRUE(write_file(folder_ / "victim", "safe", 0600));
    ASSERT_TRUE(point_link(file(), folder_ / "victim"));
    const auto refused = download(url(server));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::storage);
    EXPECT_EQ(read_file(folder_ / "victim").value(), "safe");
}

} // namespace
} // namespace commento
