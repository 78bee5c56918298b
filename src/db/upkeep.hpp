#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

namespace commento {

/// The timer's run: a backup, once a week verify_backup(), and prune() only after that. Drops what restores kept, after
/// a week.
Result<void> make_scheduled_backup(const Paths& paths, const Settings& settings);

/// Removes what the settings do not keep (retention.hpp), but never the last backup that was verified.
Result<void> prune(const Paths& paths, const Settings& settings);

/// Removes what runs that were killed left behind, files and databases. Where another run is at work, that one will do
/// it when it ends.
Result<void> tidy(const Paths& paths, const Settings& settings);

} // namespace commento
