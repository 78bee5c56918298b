#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace commento {

/// Seconds since 1970.
std::int64_t now();

/// That moment in the host's time zone, ISO 8601: 2026-03-01T04:05:06+0100.
std::string local_time(std::int64_t seconds);

/// That moment in UTC, RFC 3339, for programs: 2026-03-01T03:05:06Z.
std::string utc_time(std::int64_t seconds);

/// The moment behind such a text of ours; nothing where it is none.
std::optional<std::int64_t> parse_utc_time(const std::string& text);

} // namespace commento
