#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"

#include <filesystem>
#include <string>

namespace commento {

/// Writes all that a backup holds into a new folder: its parts, the database as SQL (database.sql), and below host/ the
/// host's files, where they are not encrypted. ErrorCode::backup where it is damaged, before anything is written.
Result<void> export_backup(const Paths& paths, const std::string& name, const std::filesystem::path& folder);

} // namespace commento
