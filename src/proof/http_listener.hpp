#pragma once
// http-01 (RFC 8555, 8.3) without a web server.

#include "proof/listener.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace commento {

/// The token that a whole request head (RFC 9112) asks for by GET; nothing where it asks for anything else.
std::optional<std::string> requested_token(std::string_view request);

/// Answers requests for the tokens with their contents, and every other with 404.
Listener::Begin answer_http(std::map<std::string, std::string> contents);

} // namespace commento
