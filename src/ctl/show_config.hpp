#pragma once
// `commentoctl show-config`.

#include "base/paths.hpp"
#include "config/settings.hpp"
#include "ctl/table.hpp"

#include <string>
#include <vector>

namespace commento {

enum class Secrets { readable, unreadable };

/// One row for each key: name, value, origin; of a secret only whether it is set.
std::vector<std::vector<Cell>> config_rows(const Settings& settings, Secrets secrets);

/// Shows them on stdout. Fails, after that, with every fault of the settings (ErrorCode::settings).
Result<void> show_config(const Paths& paths);

} // namespace commento
