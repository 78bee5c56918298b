#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"

namespace commento {

/// Removes the site and has a running nginx reloaded. Where there is no site there is nothing to do. Needs no settings,
/// and no systemd where nothing runs: a package may be removed in a chroot.
Result<void> withdraw(const Paths& paths);

} // namespace commento
