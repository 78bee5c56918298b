#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

#include <string>

namespace commento {

/// Reads all of a backup and compares it with its manifest, then puts its dump into `database`, made anew, and compares
/// rows and checksums of each table. ErrorCode::backup where anything differs; the database stays for the caller to
/// drop.
Result<void> put_back_and_compare(const Paths& paths, const Settings& settings, const std::string& name,
                                  const std::string& database);

/// put_back_and_compare() in a scratch database, of which nothing stays, and the backup's mark.
Result<void> verify_backup(const Paths& paths, const Settings& settings, const std::string& name);

} // namespace commento
