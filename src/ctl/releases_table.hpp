#pragma once
#include "ctl/table.hpp"

#include <nlohmann/json.hpp>
#include <string>

namespace commento {

/// What `commento-app list` printed, as a table, newest first.
std::string releases_table(const nlohmann::json& releases, Look look);

} // namespace commento
