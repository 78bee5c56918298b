#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"
#include "ctl/facts.hpp"

namespace commento {

/// Asks the application's database over the local socket. For root as the role commento: peer authentication looks at
/// the effective user (getsockopt SO_PEERCRED, unix(7)). ErrorCode::permission for anybody else whom the server
/// refuses.
Result<DatabaseFacts> ask_database(const Paths& paths, int port);

} // namespace commento
