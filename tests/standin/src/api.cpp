#include "api.hpp"

#include "log.hpp"
#include "text.hpp"

#include <boost/beast/core/string.hpp>
#include <map>

namespace standin {

namespace {

const std::map<std::string, Endpoint> endpoints = {
    {"/api/owner/new", {http::verb::post, owner_new}},
    {"/api/owner/login", {http::verb::post, owner_login}},
    {"/api/owner/self", {http::verb::post, owner_self}},
    {"/api/domain/new", {http::verb::post, domain_new}},
    {"/api/domain/list", {http::verb::post, domain_list}},
    {"/api/domain/update", {http::verb::post, domain_update}},
    {"/api/commenter/token/new", {http::verb::get, commenter_token_new}},
    {"/api/commenter/new", {http::verb::post, commenter_new}},
    {"/api/commenter/login", {http::verb::post, commenter_login}},
    {"/api/commenter/self", {http::verb::post, commenter_self}},
    {"/api/comment/new", {http::verb::post, comment_new}},
    {"/api/comment/list", {http::verb::post, comment_list}},
    {"/api/comment/count", {http::verb::post, comment_count}},
    {"/api/comment/vote", {http::verb::post, comment_vote}},
    {"/api/comment/approve", {http::verb::post, comment_approve}},
    {"/api/comment/delete", {http::verb::post, comment_delete}},
};

// Whatever the Content-Type says: the widget calls its JSON urlencoded, to do without a preflight.
json parsed(const std::string& body) {
    json object = json::parse(body, nullptr, false);
    if (object.is_null()) {
        return json::object();
    }
    if (!object.is_object()) {
        throw ApiFailure(Problem::malformed_body);
    }
    return object;
}

// These three never stand in the answer as they are, so that it may be pasted into HTML.
std::string dumped(const json& answer) {
    std::string text = answer.dump(-1, ' ', false, json::error_handler_t::replace);
    for (const auto& [plain, escape] : {std::pair{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}}) {
        text = replace_all(std::move(text), plain, escape);
    }
    return text;
}

// Names of fields are matched without regard to case.
const json& field(const Call& call, const std::string& name) {
    for (const auto& [key, value] : call.body.items()) {
        if (boost::beast::iequals(key, name) && !value.is_null()) {
            return value;
        }
    }
    throw ApiFailure(Problem::field_missing);
}

const json& field_that(const Call& call, const std::string& name, bool (json::*is_right)() const noexcept) {
    const json& value = field(call, name);
    if (!(value.*is_right)()) {
        throw ApiFailure(Problem::malformed_body);
    }
    return value;
}

json failure(const std::string& message) { return {{"success", false}, {"message", message}}; }

json answer(const Endpoint& endpoint, const std::string& body, const App& app) {
    try {
        const bool has_body = endpoint.method == http::verb::post;
        Call call{has_body ? parsed(body) : json::object(), Session(app.pool), app};
        json fields = endpoint.handler(call);
        fields["success"] = true;
        return fields;
    } catch (const ApiFailure& trouble) {
        return failure(trouble.what());
    } catch (const std::exception& trouble) {
        log(Level::error, trouble.what());
        return failure(ApiFailure(Problem::internal).what());
    }
}

} // namespace

std::optional<Endpoint> find_endpoint(const std::string& path) {
    const auto found = endpoints.find(path);
    return found == endpoints.end() ? std::nullopt : std::optional(found->second);
}

std::string call(const Endpoint& endpoint, const std::string& body, const App& app) {
    return dumped(answer(endpoint, body, app));
}

std::string text_field(const Call& call, const std::string& name) { return field_that(call, name, &json::is_string); }

int number_field(const Call& call, const std::string& name) { return field_that(call, name, &json::is_number_integer); }

json object_field(const Call& call, const std::string& name) { return field_that(call, name, &json::is_object); }

json list_field(const Call& call, const std::string& name) { return field_that(call, name, &json::is_array); }

void require_filled(std::initializer_list<std::string> texts) {
    for (const std::string& text : texts) {
        if (text.empty()) {
            throw ApiFailure(Problem::field_missing);
        }
    }
}

Rows ask(Call& call, Problem problem, const std::string& sql, const Parameters& parameters) {
    try {
        return call.session.query(sql, parameters);
    } catch (const DatabaseError& error) {
        log(Level::error, error.what());
        throw ApiFailure(problem);
    }
}

Rows ask_for_row(Call& call, Problem problem, const std::string& sql, const Parameters& parameters) {
    Rows rows = ask(call, problem, sql, parameters);
    if (rows.empty()) {
        throw ApiFailure(problem);
    }
    return rows;
}

} // namespace standin
