#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"
#include "ctl/facts.hpp"

namespace commento {

/// Asks the application's database. In the host's own cluster, root comes as the role commento: peer authentication
/// looks at the effective user (getsockopt SO_PEERCRED, unix(7)). ErrorCode::permission for anybody else whom the
/// server refuses.
Result<DatabaseFacts> ask_database(const Paths& paths, const Settings& settings);

} // namespace commento
