#pragma once
// Unpacking of archives that come from elsewhere (libarchive): what could reach beyond the folder is refused.

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace commento {

struct UnpackLimits {
    std::size_t entries = 20'000;
    std::uint64_t bytes = 1ULL << 30U; ///< of all files together, unpacked
};

/// Unpacks an open tar (plain, gzip, bzip2, xz, zstd) or zip archive into an empty folder and returns the folder that
/// holds its content: `folder`, or the only folder in it where the archive wraps all in one. Folders get mode 0755,
/// files 0755 or 0644; owners, set-user-ID bits and extended attributes are left out.
/// ErrorCode::release, naming the entry: absolute paths, `..`, links that leave the content or point to nothing,
/// devices, pipes, sockets, more than the limits, a damaged or truncated archive. What was unpacked until then stays
/// for the caller to remove. `name` is the archive's, for messages.
Result<std::filesystem::path> unpack(int archive, const std::string& name, const std::filesystem::path& folder,
                                     const UnpackLimits& limits = {});

} // namespace commento
