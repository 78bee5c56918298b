#pragma once
// Backups of the comment server: made, listed, verified, thinned out. Each is one file, NAME.zip, in the folder of
// backups, and there only when it is whole; its mark, NAME.verified, says that it was put back once and compared.

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"
#include "db/manifest.hpp"
#include "db/postgres.hpp"

#include <string>
#include <vector>

namespace commento {

/// One run at a time; the lock goes with the descriptor.
Result<Fd> lock_backups(const Paths& paths);

/// Names, oldest first.
std::vector<std::string> backups_in(const Paths& paths);

/// The name of an existing backup: as it is, with .zip, or `latest`. ErrorCode::backup where there is none.
Result<std::string> find_backup(const Paths& paths, const std::string& name);

std::filesystem::path file_of_backup(const Paths& paths, const std::string& name);

Result<Manifest> manifest_of(const Paths& paths, const std::string& name);

/// Makes one; the value is its name. `reason` is for its manifest.
Result<std::string> make_backup(const Paths& paths, const Settings& settings, const std::string& reason);

/// Reads all of a backup and compares it with its manifest, then puts its dump into `database`, made anew, and compares
/// rows and checksums of each table. ErrorCode::backup where anything differs.
Result<void> put_back_and_compare(const Paths& paths, const Settings& settings, const std::string& name,
                                  const std::string& database);

/// put_back_and_compare() in a scratch database, of which nothing stays, and the mark.
Result<void> verify_backup(const Paths& paths, const Settings& settings, const std::string& name);

/// Removes what the settings do not keep (retention.hpp), and never the last one that was verified.
Result<void> prune(const Paths& paths, const Settings& settings);

/// The timer's run: a backup, prune(), and once a week verify_backup().
Result<void> make_scheduled_backup(const Paths& paths, const Settings& settings);

/// Removes what runs that were killed left behind.
Result<void> tidy(const Paths& paths, const Settings& settings);

/// What there is, as JSON for commentoctl.
Result<void> list_backups(const Paths& paths);

/// Writes all that a backup holds into a new folder: its parts, the database as SQL, and the host's files where they
/// are not encrypted.
Result<void> export_backup(const Paths& paths, const std::string& name, const std::filesystem::path& folder);

} // namespace commento
