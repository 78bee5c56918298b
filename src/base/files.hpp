#pragma once
// Durable, atomic files: temporary file, fsync, rename, fsync of the folder. Every failure is ErrorCode::storage
// unless said otherwise.

#include "base/error.hpp"
#include "base/fd.hpp"

#include <cstddef>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace commento {

/// Whole content of a file. Fails when it is larger than `limit` bytes; ErrorCode::permission when it may not be read.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit = 1U << 20U);

/// The group that new files of this process get (chown(2)).
inline constexpr gid_t kOwnGroup = static_cast<gid_t>(-1);

/// Replaces `path` by `content`. At any moment, a power cut included, `path` holds the old content or the new, whole.
Result<void> write_file(const std::filesystem::path& path, std::string_view content, mode_t mode,
                        gid_t group = kOwnGroup);

/// write_file() where content, mode or group differ from what is there. True when it wrote.
Result<bool> update_file(const std::filesystem::path& path, std::string_view content, mode_t mode,
                         gid_t group = kOwnGroup);

/// Writes a new file into a folder that counts only once it is whole, with `modified` (seconds since 1970) as the time
/// of its last change. Fails where there is one already. Not durable by itself.
Result<void> make_file(const std::filesystem::path& path, std::string_view content, mode_t mode, std::time_t modified);

/// Makes a folder and its parents with `mode`; an existing one stays as it is.
Result<void> make_folder(const std::filesystem::path& path, mode_t mode);

/// Removes a folder with all that is in it; one that is not there is no failure. Not durable by itself.
Result<void> remove_folder(const std::filesystem::path& path);

/// Makes the entries of a folder durable.
Result<void> sync_folder(const std::filesystem::path& path);

/// Points the symbolic link at `target` in one step (rename), durably.
Result<void> point_link(const std::filesystem::path& link, const std::filesystem::path& target);

/// What a symbolic link points to, as written; empty where there is none.
std::string link_target(const std::filesystem::path& link);

/// Fails where a few files could not be written into a folder (made where missing) for want of room or rights. Only for
/// who alone writes there.
Result<void> check_room(const std::filesystem::path& folder);

/// Removes what killed runs of the functions above left in a folder. Only for who alone writes there, under a lock.
void remove_temporaries(const std::filesystem::path& folder);

/// Takes an exclusive flock(2) on `path` (made where missing) and holds it as long as the descriptor lives; waits for
/// another holder. The lock goes with its holder, so there is nothing to clear by hand.
Result<Fd> lock_file(const std::filesystem::path& path);

} // namespace commento
