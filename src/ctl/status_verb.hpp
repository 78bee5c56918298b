#pragma once
#include "base/paths.hpp"
#include "base/program.hpp"

namespace commento {

/// Shows the table of `commentoctl status`; ErrorCode::unhealthy where a part is not well.
Result<void> print_status(const Paths& paths);

void add_status_verb(Program& program, const Paths& paths);

} // namespace commento
