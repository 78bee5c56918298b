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

/// Has it run the release that the settings name, by what they say now.
Result<void> change_over_to_settings(const Paths& paths);

enum class Interruption {
    allowed, ///< where there is no other way: the operator waits for the end, and was told
    avoided  ///< what would interrupt stays as it is, and is named: nobody looks on
};

/// Has all parts take new settings, and with Interruption::avoided new programs. No request fails where the settings of
/// the database stay the same; else everything is restarted, and the site is away for a moment, or the pool stays as it
/// is. Everything is restarted, too, where nobody is served.
Result<void> restart_stack(const Paths& paths, Interruption interruption);

} // namespace commento
