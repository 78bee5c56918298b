#pragma once
// What an operator sees of the releases, and does with them.

#include "app/release.hpp"
#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

#include <nlohmann/json.hpp>
#include <string>

namespace commento {

/// Every whole release, by name: name, version (null where the name tells none), sha256, source, installed (seconds
/// since 1970), bytes, state (current, previous, other), and unknown_steps: the steps of the database that the current
/// release has and this one does not know.
nlohmann::json describe_releases(const Paths& paths);

/// Removes a release. ErrorCode::release where there is none of that name, where it is the current one, or where it
/// runs beside it just now.
Result<void> remove_release(const Paths& paths, const std::string& name);

/// Whether the settings name the release of that marker. Where they name a file without a sum, every release from it
/// counts.
bool names(const Settings& settings, const Marker& marker);

/// The text of the settings file with the release of that marker as the one that they name (APP_ARCHIVE, APP_URL,
/// APP_SHA256); `settings` is what the text says now.
std::string naming(std::string text, const Settings& settings, const Marker& marker);

} // namespace commento
