#pragma once
#include "base/paths.hpp"
#include "base/program.hpp"

namespace commento {

/// Adds `commentoctl backup` with its verbs. `paths` outlives the program.
void add_backup_verbs(Program& program, const Paths& paths);

} // namespace commento
