#pragma once
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

namespace commento {

/// Makes the folders of app/ and holds their lock, as long as the descriptor lives.
Result<Fd> lock_releases(const Paths& paths);

/// Brings app/ to what the settings name: the release of APP_ARCHIVE, or of APP_URL with APP_SHA256, is there and
/// current, and the environment file fits. Killed at any point, the next run goes on; what was current stays current
/// until the new release is whole, and is the previous one from then on. ErrorCode::release when the archive is the
/// wrong one or not safe; ErrorCode::network when it can't be had; ErrorCode::storage when APP_ARCHIVE can't be opened.
Result<void> install(const Paths& paths, const Settings& settings);

/// The same release is there, and `next` leads to it; nothing is switched. Fails as install().
Result<void> fetch(const Paths& paths, const Settings& settings);

} // namespace commento
