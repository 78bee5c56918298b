#pragma once
// Certificates that need no authority.

#include "base/error.hpp"
#include "cert/generation.hpp"
#include "cert/pair.hpp"
#include "cert/store.hpp"
#include "config/settings.hpp"

#include <optional>

namespace commento {

/// A self-signed certificate, made and installed: the real one in TLS_MODE=selfsigned, else a placeholder that nginx
/// can start with.
Result<Generation> make_self_signed_generation(const Store& store, const Settings& settings);

/// The pair that TLS_CERTIFICATE_FILE and TLS_KEY_FILE name. ErrorCode::settings or ErrorCode::permission where it
/// can't be used. Warns of one that ends soon.
Result<Pair> operators_pair(const Settings& settings);

/// Takes in the operator's pair where it is another than the live one; where it can't be used, the live one stays.
Result<Generation> take_files(const Store& store, const Settings& settings, const std::optional<Generation>& live);

} // namespace commento
