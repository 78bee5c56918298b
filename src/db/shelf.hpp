#pragma once
// The folder of backups. Each is one file, NAME.zip, there only when it is whole; its mark, NAME.verified, says that it
// was put back once and compared.

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/paths.hpp"
#include "db/manifest.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace commento {

/// One run at a time; the lock goes with the descriptor.
Result<Fd> lock_backups(const Paths& paths);

/// The same where nobody holds it just now; nothing where somebody does.
Result<std::optional<Fd>> try_lock_backups(const Paths& paths);

/// Names, oldest first.
std::vector<std::string> backups_in(const Paths& paths);

/// The same, newest first.
std::vector<std::string> newest_backups(const Paths& paths);

/// The name of an existing backup: as it is, with .zip, or `latest`. ErrorCode::backup where there is none.
Result<std::string> find_backup(const Paths& paths, const std::string& name);

std::filesystem::path file_of_backup(const Paths& paths, const std::string& name);

/// What a backup is called until it is whole.
std::filesystem::path unfinished_backup(const Paths& paths, const std::string& name);

Result<Manifest> manifest_of(const Paths& paths, const std::string& name);

/// The last backup that has the mark; empty where none has.
std::string last_verified(const Paths& paths);

/// Seconds since 1970; 0 where it was not verified.
std::int64_t time_of_verification(const Paths& paths, const std::string& name);

Result<void> mark_verified(const Paths& paths, const std::string& name);

Result<void> remove_backup(const Paths& paths, const std::string& name);

/// Removes what runs that were killed left in the folder; under the lock only.
void remove_unfinished(const Paths& paths);

/// Prints what there is, as JSON for commentoctl.
Result<void> list_backups(const Paths& paths);

} // namespace commento
