#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

namespace commento {

/// Runs BACKUP_COPY_COMMAND for the last backup, where it is set: its words are the program's arguments, {} among them
/// becomes the backup's path (which comes last where no {} is). The environment is this process's own.
/// ErrorCode::backup, with what it said, where it fails.
Result<void> copy_backup(const Paths& paths, const Settings& settings);

} // namespace commento
