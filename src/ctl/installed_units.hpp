#pragma once
#include "base/paths.hpp"

#include <string>
#include <vector>

namespace commento {

/// Names of the unit files that packages brought, sorted.
std::vector<std::string> installed_units(const Paths& paths);

} // namespace commento
