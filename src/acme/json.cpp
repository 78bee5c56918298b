#include "acme/json.hpp"

namespace commento {

using nlohmann::json;

std::optional<json> parse_object(std::string_view text) {
    constexpr int kDeepest = 32;
    bool too_deep = false;
    const auto watch = [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > kDeepest;
        return !too_deep;
    };
    json parsed = json::parse(text, watch, false);
    if (too_deep || !parsed.is_object())
        return std::nullopt;
    return parsed;
}

std::string text_field(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json list_field(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_array() ? *found : json::array();
}

} // namespace commento
