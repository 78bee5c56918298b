#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"

#include <string>

namespace commento {

/// Revokes the live certificate of a site with its authority, for a reason of revocation_reason(), and gets a new one
/// with a new key, which then is due. ErrorCode::settings for another word, or a certificate of no authority.
Result<void> revoke(const Paths& paths, const std::string& name, const std::string& reason);

} // namespace commento
