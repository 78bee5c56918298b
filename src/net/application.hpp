#pragma once
// Whether the application and its database answer. Reads only (APP-CONTRACT, HTTP). `address` is the application's,
// without slash at the end.

#include "base/error.hpp"
#include "net/http.hpp"

#include <string>

namespace commento {

/// What is wrong with the page /login, which needs no database; empty when nothing is.
std::string problem_with_page(HttpClient& client, const std::string& address);

/// The answer to a call that goes through the database; failures as HttpClient::send().
Result<HttpResponse> count_comments(HttpClient& client, const std::string& address);

/// What is wrong with that answer; empty when nothing is. Failures come with status 200: the body decides.
std::string problem_with_count(const HttpResponse& answer);

/// What is wrong with that call; empty when nothing is.
std::string problem_with_database(HttpClient& client, const std::string& address);

} // namespace commento
