#pragma once
// Putting a backup back, without losing what is there.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

#include <string>

namespace commento {

/// Makes a backup of what is there, where that can be read, then puts the named one into a database of its own and
/// compares it with its manifest. The application's database is not touched; switch_databases() takes the next step.
Result<void> restore(const Paths& paths, const Settings& settings, const std::string& name);

/// In one transaction: the database that restore() made takes the application's place, and the former one is kept
/// beside it, for undo_restore() and a week. Nobody may be connected to either. ErrorCode::backup where nothing is
/// restored.
Result<void> switch_databases(const Paths& paths, const Settings& settings);

/// Whether undo_restore() has something to go back to: ErrorCode::backup where no former database is kept.
Result<void> check_undo(const Paths& paths, const Settings& settings);

/// Has the two change places again; done twice, all is as before. ErrorCode::backup where no former database is kept.
Result<void> undo_restore(const Paths& paths, const Settings& settings);

} // namespace commento
