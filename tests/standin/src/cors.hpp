#pragma once

#include "reply.hpp"

#include <optional>

namespace standin {

/// The answer to an OPTIONS request, which never reaches a handler: 200, or 400, 403, 405 for a preflight that asks
/// for too much. Nothing where the request is no OPTIONS request.
std::optional<Reply> answer_options(const Request& request);

/// Adds what lets a page of another origin read the reply, where the request names an origin.
void allow_origin(const Request& request, Reply& reply);

} // namespace standin
