#pragma once
// Whether the application and its database answer, for who asks over HTTP.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <string>

namespace commento {

/// An HTTP answer, whole, for a load balancer: status 200 where both answer, else 503; the body says which does not.
std::string health_answer(bool application, bool database);

/// Reads one HTTP request from a connection and answers it: what commento-app-health.socket starts for each. The client
/// has 5 s, and so has the application. ErrorCode::network where the client sends no request.
Result<void> answer_health(const Paths& paths, int connection);

} // namespace commento
