#include "proof/http_listener.hpp"

#include "acme/jose.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

namespace commento {
namespace {

using Contents = std::map<std::string, std::string>;

std::string reply(std::string_view status, std::string_view content) {
    return fmt::format("HTTP/1.1 {}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n"
                       "Connection: close\r\n\r\n{}",
                       status, content.size(), content);
}

std::string answer(const Contents& contents, std::string_view request) {
    const auto token = requested_token(request);
    const auto found = token ? contents.find(*token) : contents.end();
    return found == contents.end() ? reply("404 Not Found", "no such challenge\n") : reply("200 OK", found->second);
}

bool would_block() { return errno == EAGAIN || errno == EINTR; }

class HttpConversation : public Conversation {
  public:
    HttpConversation(int socket, std::shared_ptr<const Contents> contents)
        : socket_(socket), contents_(std::move(contents)) {}

    short go_on() override { return reply_.empty() ? read() : write(); }

  private:
    short read() {
        std::array<char, kLongestRequest> buffer{};
        const ssize_t got = ::recv(socket_, buffer.data(), buffer.size() - request_.size(), 0);
        if (got <= 0)
            return got < 0 && would_block() ? POLLIN : short{0};
        request_.append(buffer.data(), static_cast<std::size_t>(got));
        if (request_.find("\r\n\r\n") == std::string::npos)
            return request_.size() < kLongestRequest ? POLLIN : short{0};
        reply_ = answer(*contents_, request_);
        return write();
    }

    short write() {
        const auto rest = std::string_view(reply_).substr(sent_);
        const ssize_t done = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (done < 0)
            return would_block() ? POLLOUT : short{0};
        sent_ += static_cast<std::size_t>(done);
        return sent_ < reply_.size() ? POLLOUT : short{0};
    }

    int socket_;
    std::shared_ptr<const Contents> contents_;
    std::string request_{};
    std::string reply_{};
    std::size_t sent_ = 0;
};

} // namespace

std::optional<std::string> requested_token(std::string_view request) {
    constexpr std::string_view kStart = "GET /.well-known/acme-challenge/";
    constexpr std::string_view kEnd = " HTTP/1.";
    const std::string_view line = request.substr(0, request.find("\r\n"));
    if (!line.starts_with(kStart))
        return std::nullopt;
    const std::string_view rest = line.substr(kStart.size());
    const std::string_view token = rest.substr(0, rest.find(kEnd));
    if (token.size() == rest.size() || !is_base64url(token))
        return std::nullopt;
    return std::string(token);
}

Listener::Begin answer_http(Contents contents) {
    return [shared = std::make_shared<const Contents>(std::move(contents))](int socket) {
        return std::make_unique<HttpConversation>(socket, shared);
    };
}

} // namespace commento
