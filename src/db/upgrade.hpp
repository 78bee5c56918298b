#pragma once
// A newer major version of PostgreSQL for the host's cluster: a copy is made, checked, and only then put in the older
// one's place, which is kept. All of it as root, while application and pool are stopped.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

namespace commento {

/// Backs up, copies the cluster to the newest version that is installed, compares, and switches. Where anything fails
/// before the switch, the older cluster is as before, and the copy is gone. ErrorCode::database.
Result<void> upgrade(const Paths& paths, const Settings& settings);

/// Backs up, then has the older cluster that an upgrade kept take the newer one's place, which is kept.
Result<void> undo_upgrade(const Paths& paths, const Settings& settings);

/// After a run that was killed, or a power cut: takes back an upgrade that was not checked yet, finishes one that was,
/// and an undoing. Nothing to do is no failure.
Result<void> recover_upgrade(const Paths& paths);

} // namespace commento
