#include "base/clock.hpp"

#include <ctime>
#include <fmt/chrono.h>

namespace commento {

std::int64_t now() { return std::time(nullptr); }

std::string local_time(std::int64_t seconds) { return fmt::format("{:%FT%T%z}", fmt::localtime(seconds)); }

std::string utc_time(std::int64_t seconds) { return fmt::format("{:%FT%TZ}", fmt::gmtime(seconds)); }

} // namespace commento
