#pragma once
// The databases that backups are put back into, beside the application's own.

#include "base/error.hpp"
#include "db/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace commento {

inline constexpr const char* kScratch = "commento_verify";    ///< while a backup is verified
inline constexpr const char* kRestored = "commento_restored"; ///< a backup put back, until it is switched to
inline constexpr const char* kReplaced = "commento_replaced"; ///< the former database, until it is no longer missed

/// As role commento-backup, outside of these databases and the application's own.
Result<Postgres> connect_for_backups(const Paths& paths, const Settings& settings);

/// A moment (seconds since 1970) that a database of ours is marked with; nothing where there is no such database, 0
/// where it has no mark.
Result<std::optional<std::int64_t>> mark_of(Postgres& server, const std::string& database);

/// The statement for that.
std::string marking(const std::string& database);

/// Marks a database with this moment: what was done to it is complete.
Result<void> mark(Postgres& server, const std::string& database);

/// Makes it anew, empty.
Result<void> remake(Postgres& server, const std::string& database);

/// Drops it where it is there, whoever is connected to it.
Result<void> drop(Postgres& server, const std::string& database);

/// Drops what runs that were killed left behind; with `of_age`, also what was marked more than that many seconds ago.
Result<void> drop_leftovers(Postgres& server, std::optional<std::int64_t> of_age);

} // namespace commento
