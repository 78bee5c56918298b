#pragma once
// Waiting for a PostgreSQL server to accept connections, without polling.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "db/postgres.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>

namespace commento {

/// Returns as soon as the host's own cluster accepts connections. Asks again only when inotify(7) reports a change in
/// the socket's folder (the server makes its socket) or among the files of its data folder (it writes its state into
/// postmaster.pid). ErrorCode::database when `limit` passes.
Result<void> wait_for_server(const Paths& paths, const DatabaseServer& cluster, std::chrono::milliseconds limit);

/// The data folder that a server names in the lock file beside its socket (second line; PostgreSQL's
/// src/include/utils/pidfile.h). Nothing when there is none.
std::optional<std::filesystem::path> data_folder(std::string_view socket_lock);

} // namespace commento
