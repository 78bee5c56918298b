// Whatever a server may send, as the whole of its answer, over a connection of its own.

#include "base/fd.hpp"
#include "net/http.hpp"
#include "property.hpp"

#include <csignal>
#include <fmt/format.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>

using namespace commento;

namespace {

constexpr std::size_t kLimit = 2048;

/// Sends one text to each client that asks, and hangs up.
class Server {
  public:
    Server() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        std::signal(SIGPIPE, SIG_IGN);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        require(::bind(listener_.get(), generic, size) == 0 && ::listen(listener_.get(), SOMAXCONN) == 0 &&
                    ::getsockname(listener_.get(), generic, &size) == 0,
                "the loopback interface can be listened on");
        url_ = fmt::format("http://127.0.0.1:{}/", ntohs(address.sin_port));
        std::thread([this] { serve(); }).detach();
    }

    const std::string& url() const { return url_; }
    void set_answer(std::string_view answer) { answer_ = answer; }

  private:
    void serve() const {
        while (true) {
            const Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            std::string request(4096, '\0');
            ::recv(socket.get(), request.data(), request.size(), 0); // else hanging up would be a reset
            ::send(socket.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
        }
    }

    Fd listener_;
    std::string url_;
    std::string answer_; ///< not changed while a client waits
};

bool is_name(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return (c >= 'A' && c <= 'Z') || c == ':' || c == '\n'; });
}

void check(const Result<HttpResponse>& response) {
    if (!response) {
        require(response.error().code == ErrorCode::network, "no answer is a failure of the network");
        require(is_showable(response.error().message), "a failure can be shown");
        return;
    }
    require(response->status >= 100 && response->status <= 999, "an answer has a status");
    require(response->body.size() <= kLimit, "a body is within its limit");
    std::size_t bytes = 0;
    for (const auto& [name, value] : response->headers) {
        require(is_name(name), "a header's name is in lower case");
        require(value.empty() || (value.front() != ' ' && value.back() != '\n'),
                "a header's value has no blanks around");
        bytes += name.size() + value.size();
    }
    require(bytes <= kLimit, "headers are within the limit");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Server& server = *new Server; // its thread never ends
    HttpClient client({.connect = std::chrono::seconds(5), .total = std::chrono::seconds(5), .body = kLimit});
    // Not the client's first: what it keeps from one answer to the next counts, too.
    server.set_answer("HTTP/1.1 200 OK\r\nReplay-Nonce: n\r\n\r\n");
    require(client.send({"GET", server.url()}).has_value(), "a plain answer is taken");
    server.set_answer(text_of(data, size));
    check(client.send({"GET", server.url()}));
    return 0;
}
