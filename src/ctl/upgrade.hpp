#pragma once
#include "base/paths.hpp"
#include "base/program.hpp"

namespace commento {

/// Adds `upgrade` to the verbs below `group`: a newer PostgreSQL for the host's cluster, or back to the older one.
void add_upgrade_verb(CLI::App& group, Program& program, const Paths& paths);

} // namespace commento
