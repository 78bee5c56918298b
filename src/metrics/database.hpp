#pragma once
#include "metrics/observations.hpp"

namespace commento {

/// Asks the host's own cluster, as the role commento-metrics, which may read nothing else of the database.
std::optional<Database> ask_database(const Paths& paths, const Settings& settings);

} // namespace commento
