#pragma once
// `commentoctl cert …`: what commento-cert can do, for the operator.

#include "base/paths.hpp"
#include "base/program.hpp"

namespace commento {

void add_cert_verbs(Program& program, const Paths& paths);

} // namespace commento
