#pragma once
#include "base/error.hpp"

#include <string>

namespace commento {

/// SHA-256 of an open file from its first byte to its last, in lower-case hexadecimal; the file is left at its first
/// byte. ErrorCode::storage when it can't be read.
Result<std::string> sha256_of(int file);

} // namespace commento
