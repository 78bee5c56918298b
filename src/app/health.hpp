#pragma once
// Whether the application and its database answer. Reads only (APP-CONTRACT, HTTP).

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/paths.hpp"
#include "net/http.hpp"

#include <string>

namespace commento {

/// What is wrong with the page /login, which needs no database; empty when nothing is. `address` is the application's,
/// without slash at the end.
std::string problem_with_page(HttpClient& client, const std::string& address);

/// What is wrong with a call that goes through the database; empty when nothing is.
std::string problem_with_database(HttpClient& client, const std::string& address);

/// What is wrong with the application's answer to the call comment/count; empty when nothing is. Failures come with
/// status 200: the body decides.
std::string problem_with_count(const HttpResponse& answer);

/// An HTTP answer, whole, for a load balancer: status 200 where both answer, else 503; the body says which does not.
std::string health_answer(bool application, bool database);

/// Reads one HTTP request from a connection and answers it: what commento-app-health.socket starts for each. The client
/// has 5 s, and so has the application. ErrorCode::network where the client sends no request.
Result<void> answer_health(const Paths& paths, int connection);

} // namespace commento
