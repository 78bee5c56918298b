#include "net/application.hpp"

#include "base/translate.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace commento {

std::string problem_with_page(HttpClient& client, const std::string& address) {
    constexpr int kOk = 200;
    const auto page = client.send({.url = address + "/login"});
    if (!page)
        return page.error().message;
    return page->status == kOk ? std::string() : tr("GET /login: status {}", page->status);
}

Result<HttpResponse> count_comments(HttpClient& client, const std::string& address) {
    return client.send({.method = "POST",
                        .url = address + "/api/comment/count",
                        .body = R"({"domain":"x.test","paths":["/"]})",
                        .headers = {{"Content-Type", "application/json"}}});
}

std::string problem_with_count(const HttpResponse& answer) {
    const auto json = nlohmann::json::parse(answer.body, nullptr, false);
    if (json.is_object() && json.value("success", nlohmann::json()) == true)
        return {};
    constexpr std::size_t kShown = 200;
    return tr("POST /api/comment/count: status {}, {}", answer.status, answer.body.substr(0, kShown));
}

std::string problem_with_database(HttpClient& client, const std::string& address) {
    const auto answer = count_comments(client, address);
    return answer ? problem_with_count(*answer) : answer.error().message;
}

} // namespace commento
