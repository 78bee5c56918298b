#pragma once
// Moving out to certbot: the certificates and accounts in its layout, so that the host can do without this program and
// spends neither an issue nor a registration for that.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <filesystem>

namespace commento {

/// Writes every certificate that an authority issued, and every registered account, into a folder as certbot's
/// configuration folder has them (certbot 2.1.0, storage.py and account.py; read back by it in the tests): one that is
/// new or empty, or one of certbot's where these certificates are not yet. Nothing that is there is written over.
/// ErrorCode::settings, before anything is written, with everything that is in the way or where there is nothing to
/// export. Certbot finds its files by the paths that are written here: the folder can't be moved later.
Result<void> export_certbot(const Paths& paths, const std::filesystem::path& target);

} // namespace commento
