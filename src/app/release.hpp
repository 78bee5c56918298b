#pragma once
// Releases side by side in app/releases, and the link `current` to one of them.

#include "base/error.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace commento {

/// What a release was made from; kept in the release's folder, so that it comes and goes with it.
struct Marker {
    std::string sha256;  ///< of its archive
    std::string archive; ///< the local file that it came from; empty when it was downloaded
    std::string state;   ///< state_of() that file
    std::string address; ///< where it was downloaded from; empty where it was not, or where that was not noted yet
};

/// What tells, without reading a file, that it is still the same: size, inode and time of its last change. (ctime, not
/// mtime: that one can be set back.)
Result<std::string> state_of(int file);

/// The marker of a release that is whole: the program is there too. Nothing otherwise.
std::optional<Marker> read_marker(const std::filesystem::path& release);

Result<void> write_marker(const std::filesystem::path& release, const Marker& marker);

/// The first whole release whose marker fits.
std::optional<std::filesystem::path> find_release(const std::filesystem::path& releases,
                                                  const std::function<bool(const Marker&)>& fits);

/// NAME-VERSION from a download address or a file name; archives carry no version inside. Where neither tells a
/// version: the file's stem and the first digits of its SHA-256.
std::string release_name(std::string_view address, std::string_view sha256);

/// Checks that an unpacked folder holds the application (APP-CONTRACT: the program `commento`, js/ and templates/) and
/// makes the program executable. ErrorCode::release when something is missing.
Result<void> check_layout(const std::filesystem::path& content, const std::string& archive);

/// Makes `content`, with its marker, durable and then a release, in one rename: under `name`, or, where another
/// archive's release has that name, under the name with the first digits of the SHA-256 appended. A damaged release of
/// that name is exchanged for it, and takes its place at `content`. Returns the release's folder.
Result<std::filesystem::path> publish(const std::filesystem::path& content, const std::filesystem::path& releases,
                                      const std::string& name, const Marker& marker);

} // namespace commento
