#pragma once
// The files of a release that runs beside the current one for some seconds (commento-app-beside.service), and the way
// that readers take. All of it is below /run: after a power cut there is none of it.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

#include <filesystem>

namespace commento {

/// The first port of the loopback above `port` that nobody listens on. ErrorCode::application where there is none among
/// the next hundred.
Result<int> free_port_above(int port);

/// Whether the application can have COMMENTO_PORT at its next start: that is the one it has, or nobody has it.
/// ErrorCode::application otherwise.
Result<void> require_own_port(const Paths& paths, const Settings& settings);

/// Writes what commento-app-beside.service starts with.
Result<void> place_beside(const Paths& paths, const Settings& settings, const std::filesystem::path& release, int port);

/// Has the web front lead readers to that port, as soon as it renders the site again.
Result<void> lead_to(const Paths& paths, int port);

/// Has it lead them to COMMENTO_PORT again, likewise.
Result<void> lead_back(const Paths& paths);

/// Removes what place_beside() wrote.
Result<void> clear_beside(const Paths& paths);

} // namespace commento
