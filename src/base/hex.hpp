#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <span>
#include <string>

namespace commento {

/// Two lower-case hexadecimal digits for each byte.
inline std::string to_hex(std::span<const unsigned char> bytes) {
    return fmt::format("{:02x}", fmt::join(bytes.begin(), bytes.end(), ""));
}

} // namespace commento
