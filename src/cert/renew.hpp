#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"

namespace commento {

/// Replaces the certificate where that is due, by the way that TLS_MODE names, and waits until nginx serves the new
/// one. With nothing due it changes no file and uses no network.
Result<void> renew(const Paths& paths);

} // namespace commento
