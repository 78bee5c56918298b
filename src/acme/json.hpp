#pragma once
// JSON from a party that is not trusted: no exception, bounded depth. Its size is bounded where it is received.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace commento {

/// The object that `text` holds; nothing where it is no JSON, no object, or nested deeper than 32.
std::optional<nlohmann::json> parse_object(std::string_view text);

/// A member that is a string; empty when it is missing or something else.
std::string text_field(const nlohmann::json& object, const char* name);

/// A member that is an array; an empty one when it is missing or something else.
nlohmann::json list_field(const nlohmann::json& object, const char* name);

} // namespace commento
