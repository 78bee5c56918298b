#pragma once

#include <source_location>
#include <string_view>

namespace standin {

enum class Level { info, warning, error };

/// Writes one line to stderr, in the shape of the application's:
/// `2026/01/31 23:59:59 [INFO] server.cpp:12 serve(): message`.
void log(Level level, std::string_view message, std::source_location where = std::source_location::current());

} // namespace standin
