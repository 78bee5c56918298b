#pragma once
// Several servers may stand in for one another, and only libpq can tell which of them takes changes: neither the
// application's driver nor PgBouncer can. So one connection to that one is kept for nothing else, and when it is lost,
// the pool is led to the next.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

namespace commento {

/// Keeps Paths::pool_primary() what pool_target() says of the server that takes changes, and has the pool read it again
/// when it changes. Tells systemd that it is ready (sd_notify(3)) once the file is there. Returns only with an error:
/// where the file can't be written or the pool does not read it; that no server is there is none.
Result<void> follow(const Paths& paths, const Settings& settings);

} // namespace commento
