#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"

namespace commento {

/// Makes sure, before nginx starts, that there is a certificate that it can load: the newest good generation, else a
/// self-signed placeholder. Takes in the operator's pair in TLS_MODE=files. Uses no network.
Result<void> bootstrap(const Paths& paths);

} // namespace commento
