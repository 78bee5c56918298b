#pragma once
#include "base/paths.hpp"
#include "base/program.hpp"

namespace commento {

/// notify test.
void add_notify_verbs(Program& program, const Paths& paths);

} // namespace commento
