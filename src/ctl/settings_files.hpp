#pragma once
// The two settings files as texts.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

#include <optional>
#include <string>
#include <sys/types.h>

namespace commento {

inline constexpr mode_t kSettingsMode = 0644;

struct SettingsFiles {
    std::string settings;
    std::optional<std::string> secrets; ///< nothing where there is no such file, or the caller may not read it
};

/// The files as they are. ErrorCode::settings where there is no settings file.
Result<SettingsFiles> read_settings_files(const Paths& paths);

/// The files, and where one is missing its template.
Result<SettingsFiles> read_files_or_templates(const Paths& paths);

/// Settings::examine() of these texts.
Examined examine(const SettingsFiles& files, const Paths& paths);

} // namespace commento
