#pragma once
// The databases that backups are put back into, beside the application's own.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"
#include "db/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace commento {

// They are called like that, with a word added: several comment servers may share one PostgreSQL.
std::string scratch_of(const DatabaseServer& server);  ///< while a backup is verified
std::string restored_of(const DatabaseServer& server); ///< a backup put back, until it is switched to
std::string replaced_of(const DatabaseServer& server); ///< the former database, until it is no longer missed

/// As a role, outside of these databases and the application's own. Where it may not come into database postgres, as
/// some providers have it, it is connected to the application's.
Result<Postgres> connect_outside(const DatabaseServer& server, const std::string& role);

/// The same as the role for backups.
Result<Postgres> connect_for_backups(const Paths& paths, const Settings& settings);

// `connection` is such a one.

/// A moment (seconds since 1970) that a database of ours is marked with; nothing where there is no such database, 0
/// where it has no mark.
Result<std::optional<std::int64_t>> mark_of(Postgres& connection, const std::string& database);

/// The statement for that.
std::string marking(const std::string& database);

/// Marks a database with this moment: what was done to it is complete.
Result<void> mark(Postgres& connection, const std::string& database);

/// Makes it anew, empty.
Result<void> remake(Postgres& connection, const DatabaseServer& server, const std::string& database);

/// Drops it where it is there, whoever is connected to it.
Result<void> drop(Postgres& connection, const std::string& database);

/// Drops what runs that were killed left behind; with `of_age`, also what was marked more than that many seconds ago.
Result<void> drop_leftovers(Postgres& connection, const DatabaseServer& server, std::optional<std::int64_t> of_age);

} // namespace commento
