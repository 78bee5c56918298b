#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"
#include "cert/due.hpp"
#include "cert/generation.hpp"
#include "cert/site.hpp"

#include <optional>

namespace commento {

enum class Haste { none, forced };

/// Gets the wanted certificate from an ACME authority and installs it. Goes on with an order that a run before left
/// unfinished. The first authority is asked, and where that has failed again and again, the one to fall back to.
/// ErrorCode::later, without a request, while the authorities must be left alone (not when forced); ErrorCode::web
/// where the answers to challenges can't be shown; else the failures of AcmeClient and of the store. Failures are
/// remembered for the next run. `live` is the certificate in place.
Result<Generation> issue(const Paths& paths, const Site& site, const Wanted& wanted,
                         const std::optional<Generation>& live, Haste haste);

} // namespace commento
