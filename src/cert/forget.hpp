#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"

#include <string>

namespace commento {

/// Removes a further certificate that is no longer asked for, with its keys and all that is known of it.
/// ErrorCode::settings while its file of settings is there, or where there is no such certificate.
Result<void> forget(const Paths& paths, const std::string& name);

} // namespace commento
