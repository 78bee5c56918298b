#include "config/serving.hpp"

#include "base/files.hpp"

#include <charconv>

namespace commento {

std::optional<int> beside_port(const Paths& paths) {
    constexpr int kLargest = 65535;
    const auto text = read_file(paths.beside_port());
    int port = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), port).ec != std::errc())
        return std::nullopt;
    return port > 0 && port <= kLargest ? std::optional(port) : std::nullopt;
}

int serving_port(const Paths& paths, const Settings& settings) {
    return beside_port(paths).value_or(settings.number("COMMENTO_PORT"));
}

} // namespace commento
