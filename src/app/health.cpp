#include "app/health.hpp"

#include "config/serving.hpp"
#include "net/application.hpp"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

namespace commento {
namespace {

constexpr std::chrono::milliseconds kPatience{5000};

/// Reads to the end of the request's head; what it asks for is the same for all.
Result<void> read_request(int connection) {
    constexpr std::size_t kLongest = 8192;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::string request;
    std::array<char, kLongest> buffer{};
    while (request.find("\r\n\r\n") == std::string::npos && request.size() < kLongest) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        pollfd entry{connection, POLLIN, 0};
        if (left <= 0 || ::poll(&entry, 1, static_cast<int>(left)) != 1)
            return fail(ErrorCode::network, "the client sent no request in time");
        const ssize_t got = ::recv(connection, buffer.data(), buffer.size(), 0);
        if (got <= 0)
            return fail(ErrorCode::network, "the client sent no request");
        request.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return {};
}

Result<void> send_answer(int connection, const std::string& answer) {
    if (::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(answer.size()))
        return fail_errno(ErrorCode::network, "cannot answer the client", errno);
    return {};
}

} // namespace

std::string health_answer(bool application, bool database) {
    const std::string body = nlohmann::json{{"application", application}, {"database", database}}.dump() + "\n";
    return fmt::format("HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
                       "Cache-Control: no-store\r\nConnection: close\r\n\r\n{}",
                       application && database ? "200 OK" : "503 Service Unavailable", body.size(), body);
}

Result<void> answer_health(const Paths& paths, int connection) {
    COMMENTO_CHECK(read_request(connection));
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    HttpClient client({.connect = kPatience, .total = kPatience});
    const std::string address = client.reach_here(serving_port(paths, settings)) + settings.base_path();
    const std::string page = problem_with_page(client, address);
    const std::string database = page.empty() ? problem_with_database(client, address) : page;
    if (!database.empty())
        spdlog::warn("{}", database);
    return send_answer(connection, health_answer(page.empty(), database.empty()));
}

} // namespace commento
