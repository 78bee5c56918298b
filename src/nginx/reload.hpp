#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"

namespace commento {

/// Compares what nginx serves with what stands on disk: the site's mark over HTTP, the certificate over TLS. Where they
/// differ, has systemd reload nginx and returns when they are the same, or when another certificate came into place
/// meanwhile: that made the signal again, which this takes away first (cert/store.hpp). ErrorCode::web when nginx does
/// not run, refuses its configuration, or still serves something else after 10 s.
Result<void> reload(const Paths& paths);

} // namespace commento
