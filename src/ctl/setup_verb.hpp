#pragma once
#include "base/paths.hpp"
#include "base/program.hpp"

namespace commento {

/// `commentoctl setup`: asks on a terminal, or takes all from flags; writes the settings, and starts the stack if
/// asked.
void add_setup_verb(Program& program, const Paths& paths);

} // namespace commento
