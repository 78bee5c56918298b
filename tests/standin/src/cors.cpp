#include "cors.hpp"

#include "text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace standin {

namespace {

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

// A JSON content type is not among these: that is why the widget posts urlencoded.
bool may_be_sent(std::string_view header) {
    constexpr std::array<std::string_view, 6> allowed = {
        "", "accept", "accept-language", "content-language", "origin", "x-requested-with"};
    return std::any_of(allowed.begin(), allowed.end(), [&](std::string_view name) {
        return boost::beast::iequals({header.data(), header.size()}, {name.data(), name.size()});
    });
}

bool all_may_be_sent(std::string_view headers) {
    while (!headers.empty()) {
        const std::string_view header = headers.substr(0, headers.find(','));
        headers.remove_prefix(std::min(headers.size(), header.size() + 1));
        if (!may_be_sent(trimmed(header))) {
            return false;
        }
    }
    return true;
}

Reply refused(http::status status) { return {.status = status}; }

} // namespace

std::optional<Reply> answer_options(const Request& request) {
    if (request.method() != http::verb::options) {
        return std::nullopt;
    }
    if (request[http::field::origin].empty()) {
        return Reply{};
    }
    const auto method = request.find(http::field::access_control_request_method);
    if (method == request.end()) {
        return refused(http::status::bad_request);
    }
    if (method->value() != "GET" && method->value() != "POST") {
        return refused(http::status::method_not_allowed);
    }
    const auto headers = request[http::field::access_control_request_headers];
    if (!all_may_be_sent(view(headers))) {
        return refused(http::status::forbidden);
    }
    Reply reply;
    if (!headers.empty()) {
        reply.headers.set(http::field::access_control_allow_headers, headers);
    }
    allow_origin(request, reply);
    return reply;
}

void allow_origin(const Request& request, Reply& reply) {
    if (!request[http::field::origin].empty()) {
        reply.headers.set(http::field::access_control_allow_origin, "*");
    }
}

} // namespace standin
