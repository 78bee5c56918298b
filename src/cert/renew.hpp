#pragma once
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/paths.hpp"
#include "cert/issue.hpp"
#include "cert/site.hpp"

#include <string>
#include <vector>

namespace commento {

/// Replaces each certificate where that is due, or has to be (Haste::forced), by the way that TLS_MODE names, and waits
/// until nginx serves the new ones. `names` are the certificates to look at; all, where there are none. With nothing
/// due it changes no file and uses no network, but for the authority's advice when it is time to ask for that. One that
/// fails hinders no other; the error has a line for each, and the code of the first.
Result<void> renew(const Paths& paths, const std::vector<std::string>& names = {}, Haste haste = Haste::none);

/// Two runs at once would spend two orders. Held to the end of the run, apart from the store's lock, so that bootstrap
/// never waits for an authority.
Result<Fd> lock_runs(const Paths& paths);

/// The certificates by these names, or all; ErrorCode::settings where one is not asked for anywhere.
Result<std::vector<NamedSite>> sites_named(const Paths& paths, const std::vector<std::string>& names);

} // namespace commento
