#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

#include <string>

namespace commento {

/// The EnvironmentFile of commento.service: what the settings say to the application, and what the stack decides
/// (APP-CONTRACT: where it listens, its files, its database). Holds no secrets: systemd adds secrets.conf itself.
std::string application_environment(const Paths& paths, const Settings& settings);

/// The same for a release that runs beside the current one, on a port of its own.
std::string environment_beside(const Paths& paths, const Settings& settings, int port);

/// Writes it where it differs from what is there. True when it wrote.
Result<bool> update_environment(const Paths& paths, const Settings& settings);

} // namespace commento
