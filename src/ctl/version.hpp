#pragma once
#include "base/paths.hpp"
#include "base/program.hpp"

namespace commento {

/// `commentoctl version`: every part with its version, and whether that is known to be out of date.
void add_version_verb(Program& program, const Paths& paths);

} // namespace commento
