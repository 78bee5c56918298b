#pragma once

#include "database.hpp"

#include <filesystem>

namespace standin {

/// Six tries, ten seconds apart, then the table of migrations. Throws FatalError when the last one fails too.
void connect_with_patience(Pool& pool);

/// Runs every .sql file of the folder that the table does not name yet, in the order of their names.
/// Throws FatalError.
void migrate(Pool& pool, const std::filesystem::path& folder);

} // namespace standin
