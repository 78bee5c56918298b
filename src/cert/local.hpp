#pragma once
// Certificates that need no authority.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "cert/generation.hpp"
#include "config/settings.hpp"

#include <optional>

namespace commento {

/// A self-signed certificate, made and installed: the real one in TLS_MODE=selfsigned, else a placeholder that nginx
/// can start with.
Result<Generation> make_self_signed_generation(const Paths& paths, const Settings& settings);

/// Takes in the operator's pair where it is another than the live one. ErrorCode::settings or ErrorCode::permission
/// where it can't be used; the live one stays then.
Result<Generation> take_files(const Paths& paths, const Settings& settings, const std::optional<Generation>& live);

} // namespace commento
