#include "router.hpp"

#include "api.hpp"
#include "cors.hpp"

#include <boost/beast/websocket/rfc6455.hpp>
#include <optional>

namespace standin {

namespace {

constexpr const char* plain_text = "text/plain; charset=utf-8";
constexpr const char* html = "text/html; charset=utf-8";

// The path below ORIGIN's own path; nothing where the request is outside of it.
std::optional<std::string> path_of(const Request& request, const App& app) {
    const std::string target(request.target());
    const std::string path = target.substr(0, target.find('?'));
    if (!path.starts_with(app.settings.subfolder)) {
        return std::nullopt;
    }
    return path.substr(app.settings.subfolder.size());
}

Reply not_found() { return {http::status::not_found, "404 page not found\n", plain_text}; }

Reply redirect_to_login(const Request& request, const App& app) {
    const std::string address = app.settings.origin + "/login";
    const bool wants_body = request.method() == http::verb::get;
    Reply reply = {http::status::moved_permanently, wants_body ? "<a href=\"" + address + "\">/login</a>\n" : "", html};
    reply.headers.set(http::field::location, address);
    return reply;
}

Reply answer_path(const std::string& path, const Request& request, const App& app) {
    if (const auto page = app.pages.find(path); page != app.pages.end()) {
        return {http::status::ok, page->second.body, page->second.content_type};
    }
    if (const auto endpoint = find_endpoint(path)) {
        if (endpoint->method != request.method()) {
            return {.status = http::status::method_not_allowed};
        }
        // Most failures come with status 200 too: callers have to read "success".
        return {http::status::ok, call(*endpoint, request.body(), app), plain_text};
    }
    if (path == "/ws") {
        return {http::status::bad_request, "Bad Request\n", plain_text};
    }
    return path == "/" ? redirect_to_login(request, app) : not_found();
}

} // namespace

bool wants_websocket(const Request& request, const App& app) {
    return path_of(request, app) == "/ws" && boost::beast::websocket::is_upgrade(request);
}

Reply answer(const Request& request, const App& app) {
    if (const std::optional<Reply> reply = answer_options(request)) {
        return *reply;
    }
    const auto path = path_of(request, app);
    Reply reply = path ? answer_path(*path, request, app) : not_found();
    allow_origin(request, reply);
    return reply;
}

} // namespace standin
