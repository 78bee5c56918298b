#pragma once
// The application brings its tables up to date when it starts, and a release can't go back. Each of its steps and the
// record of that step are two transactions (APP-CONTRACT): cut off between them, it fails at that step ever after.

#include "base/error.hpp"
#include "base/paths.hpp"

namespace commento {

/// Before the application starts: where its release is another one than at the last start, makes a backup
/// (`before-upgrade`). Where a start of this very release was cut off half-way through a step, fails with
/// ErrorCode::database and names the backup to go back to. Settings with a fault stop only what would change anything:
/// the same release starts all the same.
Result<void> guard(const Paths& paths);

} // namespace commento
