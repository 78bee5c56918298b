#include "config/serving.hpp"

#include "base/files.hpp"
#include "config/env_file.hpp"

#include <charconv>
#include <string_view>

namespace commento {
namespace {

std::optional<int> port_in(std::string_view text) {
    constexpr int kLargest = 65535;
    int port = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), port).ec != std::errc())
        return std::nullopt;
    return port > 0 && port <= kLargest ? std::optional(port) : std::nullopt;
}

/// What commento.service was started with, which the settings may have left behind.
std::optional<int> running_port(const Paths& paths) {
    const auto text = read_file(paths.app_environment());
    if (!text)
        return std::nullopt;
    for (const auto& assignment : parse_env_file(*text, paths.app_environment().string()).assignments) {
        if (assignment.key == "COMMENTO_PORT")
            return port_in(assignment.value);
    }
    return std::nullopt;
}

} // namespace

std::optional<int> beside_port(const Paths& paths) {
    const auto text = read_file(paths.beside_port());
    return text ? port_in(*text) : std::nullopt;
}

int serving_port(const Paths& paths, const Settings& settings) {
    if (const auto beside = beside_port(paths))
        return *beside;
    return running_port(paths).value_or(settings.number("COMMENTO_PORT"));
}

} // namespace commento
