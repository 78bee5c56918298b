#pragma once
#include "base/program.hpp"

namespace commento {

/// The verbs of commento-db that upgrade the host's cluster.
void add_upgrade_verbs(Program& program);

} // namespace commento
