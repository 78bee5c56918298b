#pragma once
// The site's file in nginx's configuration. A change of it counts only once nginx accepted it: until then the former
// site is kept in former.conf of the state folder (empty: there was none). A former.conf found by a later run is
// what a crash left, and is put back first. Failures are ErrorCode::storage unless said otherwise.

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/paths.hpp"

#include <functional>
#include <string>

namespace commento {

/// Whether nginx accepts the configuration as it stands on disk; the message is what nginx says.
using Acceptance = std::function<Result<void>()>;

/// Makes the state folder and holds its lock, as long as the descriptor lives, against others that change or test
/// the site.
Result<Fd> lock_site(const Paths& paths);

/// Puts the former site back where a crash left one that nginx was not yet asked about.
Result<void> undo_unfinished(const Paths& paths);

/// The site's text; empty when there is no site.
Result<std::string> read_site(const Paths& paths);

/// Replaces the site. Where nginx does not accept that, the former one is back in place and the failure,
/// ErrorCode::web, says whether this site is at fault or another file.
Result<void> replace_site(const Paths& paths, const std::string& text, const Acceptance& accepted);

/// Removes the site, and what an unfinished change left.
Result<void> remove_site(const Paths& paths);

/// The failure to report when nginx refuses a configuration in which this site did not change. `refusal` is what nginx
/// says.
Error explain_refusal(const Paths& paths, const std::string& refusal);

} // namespace commento
