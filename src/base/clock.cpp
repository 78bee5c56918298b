#include "base/clock.hpp"

#include <ctime>
#include <fmt/chrono.h>

namespace commento {

std::int64_t now() { return std::time(nullptr); }

std::string local_time(std::int64_t seconds) { return fmt::format("{:%FT%T%z}", fmt::localtime(seconds)); }

std::string utc_time(std::int64_t seconds) { return fmt::format("{:%FT%TZ}", fmt::gmtime(seconds)); }

std::optional<std::int64_t> parse_utc_time(const std::string& text) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (end == nullptr || *end != '\0')
        return std::nullopt;
    return ::timegm(&parts);
}

} // namespace commento
