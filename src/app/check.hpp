#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"

namespace commento {

/// Whether application, database and web front are there for readers. Asks as /healthz does, again and again for 30 s,
/// so that a restart is no failure. ErrorCode::application, database or web otherwise.
Result<void> check_answers(const Paths& paths);

} // namespace commento
