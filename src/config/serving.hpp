#pragma once
// Which of its local ports the application serves readers on. It is COMMENTO_PORT but for some seconds of a changeover
// (commento-app changeover), when a second instance serves beside that one.

#include "base/paths.hpp"
#include "config/settings.hpp"

#include <optional>

namespace commento {

/// The port that readers are led to instead of COMMENTO_PORT; nothing where there is none. It stands in a file below
/// /run, so that no power cut leaves it behind.
std::optional<int> beside_port(const Paths& paths);

/// That port, or the one that commento.service was started with: COMMENTO_PORT, unless that was changed since.
int serving_port(const Paths& paths, const Settings& settings);

} // namespace commento
