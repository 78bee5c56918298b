#pragma once
// The connection pool between the application and PostgreSQL: PgBouncer, as commento-db-pool.service.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/database_server.hpp"
#include "config/settings.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace commento {

/// How many connections to PostgreSQL the pool keeps: DATABASE_POOL, else 20, but no more than a quarter of what the
/// cluster takes (`connections`, without those that it keeps for superusers) and one for each 64 MiB of the host's
/// memory (bytes), and at least 2. ErrorCode::settings where DATABASE_POOL is more than the cluster takes.
Result<int> pool_size(const Settings& settings, std::uint64_t memory, int connections);

/// PgBouncer's configuration (pgbouncer(5)) for a pool of that size.
std::string pool_config(const Paths& paths, const DatabaseServer& server, int size);

/// Whether such a configuration leads to that server, whatever else is in it.
bool leads_there(std::string_view config, const Paths& paths, const DatabaseServer& server);

/// The part of it that says which of the server's hosts the pool leads to; a file of its own where follow() writes it.
std::string pool_target(const DatabaseServer& server, const DatabaseHost& host);

} // namespace commento
