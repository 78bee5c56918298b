#pragma once
#include "base/paths.hpp"
#include "base/program.hpp"

namespace commento {

/// Adds the verbs for the application's releases below `group`: list, upgrade, rollback, remove.
void add_app_verbs(CLI::App& group, Program& program, const Paths& paths);

} // namespace commento
