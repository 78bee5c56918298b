#pragma once
// From one release of the application, or from its former settings, to another without a request that fails: what
// commento-app-request.service and commento-app-changeover.service do for `commentoctl app` and `commentoctl restart`.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <string>
#include <vector>

namespace commento {

/// ErrorCode::application where a changeover is under way.
Result<void> require_no_changeover();

/// Installs a release and switches nothing: the one that the settings name, or what the words of `commento-app fetch`
/// say. Returns its name.
Result<std::string> fetch_release(const Paths& paths, const std::vector<std::string>& words = {});

/// Has commento.service run it; `words` are those of `commento-app changeover` after the name.
Result<void> change_over_to(const Paths& paths, const std::string& name, const std::vector<std::string>& words = {});

/// Has all parts take new settings. No request fails where the settings of the database stay the same; else everything
/// is restarted, and the site is away for a moment.
Result<void> restart_stack(const Paths& paths);

} // namespace commento
