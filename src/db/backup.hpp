#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

#include <string>

namespace commento {

/// Makes a backup of database, settings, secrets and certificates; the value is its name. `reason` is for its manifest.
/// Nothing of it stays where it fails.
Result<std::string> make_backup(const Paths& paths, const Settings& settings, const std::string& reason);

} // namespace commento
