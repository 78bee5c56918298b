#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"

namespace commento {

/// Brings the static files on disk to what the running application answers: a new generation, each file with its
/// compressed forms where these are smaller, switched to by rename when it is complete. Nginx needs no reload. The
/// former generation stays, for answers that are on their way. ErrorCode::permission for who does not own the files,
/// root included; other failures as fetch_assets() and base/files.hpp. What is served then stays as it was.
Result<void> render_static(const Paths& paths);

} // namespace commento
