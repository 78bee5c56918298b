#pragma once
#include "ctl/table.hpp"

#include <nlohmann/json.hpp>
#include <string>

namespace commento {

/// What `commento-db backup list` printed, as a table, newest first.
std::string backups_table(const nlohmann::json& backups, Look look);

} // namespace commento
