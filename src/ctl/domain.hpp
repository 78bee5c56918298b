#pragma once
#include "base/paths.hpp"
#include "base/program.hpp"

namespace commento {

/// domain change, domain undo.
void add_domain_verbs(Program& program, const Paths& paths);

} // namespace commento
