#pragma once
// What a backup holds beside the database: settings, secrets, certificates with their keys, accounts with authorities.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"
#include "db/archive.hpp"

namespace commento {

/// Adds them to the archive as one part, host.tar, with owners by name, modes and links as on disk; encrypted, as
/// host.tar.age or host.tar.gpg, to whom BACKUP_RECIPIENT_FILE names: recipients of age(1), a line each, or public keys
/// of GnuPG. ErrorCode::settings where that file is neither.
Result<PartFacts> add_host_files(const Paths& paths, const Settings& settings, ArchiveWriter& archive);

/// Unpacks such a part, not encrypted, into a folder. Owners are set only where the caller is root.
Result<void> unpack_host_files(const std::string& tar, const std::filesystem::path& folder);

} // namespace commento
