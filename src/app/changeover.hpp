#pragma once
// From one instance of the application to another without failing a request: the release to come runs beside the
// present one, on a port of its own, until commento.service has been restarted with it.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <string>

namespace commento {

enum class Naming {
    as_it_is, ///< the settings name the release already
    rewritten ///< they are made to, once it answers
};

/// Has commento.service run the installed release `name`, which may be the one that it runs already; for root. In
/// order: backup (commento-db-guard.service), start beside, nginx led there, what is under way drained, settings and
/// `current`, restart of commento.service, nginx led back, drained, the second instance stopped. Where the release does
/// not come up, nothing was switched and the settings name the former one: ErrorCode::application, with its last words.
/// Where commento.service does not come up with it, that runs the former one again. ErrorCode::release where there is
/// no such release; ErrorCode::web where nginx does not take its settings; as the guard, where that fails.
/// An application that is stopped is only tried, and stays so.
Result<void> change_over(const Paths& paths, const std::string& name, Naming naming);

/// Brings a changeover to its end that was cut off: readers are led to commento.service, and nothing runs beside it.
Result<void> end_changeover(const Paths& paths);

} // namespace commento
