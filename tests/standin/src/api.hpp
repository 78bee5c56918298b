#pragma once

#include "app.hpp"
#include "failure.hpp"
#include "reply.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace standin {

using nlohmann::json;

/// One call of the API while it is being answered.
struct Call {
    json body;
    Session session;
    const App& app;
};

/// Answers with the fields that come beside "success":true; throws ApiFailure.
using Handler = json (*)(Call&);

struct Endpoint {
    http::verb method;
    Handler handler;
};

std::optional<Endpoint> find_endpoint(const std::string& path);

/// Runs the call and returns the JSON text, of failures too.
std::string call(const Endpoint& endpoint, const std::string& body, const App& app);

// A mandatory field of the request: field_missing where it is absent, malformed_body where it has another type.
std::string text_field(const Call& call, const std::string& name);
int number_field(const Call& call, const std::string& name);
json object_field(const Call& call, const std::string& name);
json list_field(const Call& call, const std::string& name);

/// An optional member of an object, of the default's type; malformed_body where it has another.
template <typename Value>
Value member(const json& object, const std::string& name, Value otherwise);

/// Fails with field_missing where one of the texts is empty.
void require_filled(std::initializer_list<std::string> texts);

/// Logs what the database says and fails with the given problem.
Rows ask(Call& call, Problem problem, const std::string& sql, const Parameters& parameters = {});

/// The same, and no row at all is that problem too.
Rows ask_for_row(Call& call, Problem problem, const std::string& sql, const Parameters& parameters = {});

// What several parts of the API need of each other.
struct Owner {
    std::string hex;
    std::string email;
};
Owner owner_of_token(Call& call, const std::string& token);
void add_email(Call& call, const std::string& email);
std::string add_commenter(Call& call, const std::string& email, const std::string& name, std::string link,
                          const std::string& provider, const std::string& password);
json commenter_of_token(Call& call, const std::string& token);
json commenter_of_hex(Call& call, const std::string& hex);
json domain_of_name(Call& call, const std::string& name);
bool is_moderator(const json& domain, const std::string& email);

// The endpoints, one group per file.
json owner_new(Call& call);
json owner_login(Call& call);
json owner_self(Call& call);
json domain_new(Call& call);
json domain_list(Call& call);
json domain_update(Call& call);
json commenter_token_new(Call& call);
json commenter_new(Call& call);
json commenter_login(Call& call);
json commenter_self(Call& call);
json comment_new(Call& call);
json comment_list(Call& call);
json comment_count(Call& call);
json comment_vote(Call& call);
json comment_approve(Call& call);
json comment_delete(Call& call);

template <typename Value>
Value member(const json& object, const std::string& name, Value otherwise) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) {
        return otherwise;
    }
    try {
        return found->get<Value>();
    } catch (const json::exception&) {
        throw ApiFailure(Problem::malformed_body);
    }
}

} // namespace standin
