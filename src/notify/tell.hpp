#pragma once
// The verbs that systemd starts.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "notify/ending.hpp"

#include <string>

namespace commento {

/// Tells that a unit failed, unless it was told already (record.hpp). ErrorCode::network where a way does not take it;
/// then only that way is tried again when this is run again.
Result<void> tell_failure(const Paths& paths, const Ending& ending);

/// Tells the end of failures to those who were told of them.
Result<void> tell_recovery(const Paths& paths, const Ending& ending);

/// Sends a test by all ways. ErrorCode::settings where there is none.
Result<void> tell_test(const Paths& paths);

/// Gives the letter in the outbox to the host's sendmail; as root, which has to be let become commento-notify.
Result<void> hand_to_sendmail(const Paths& paths, const std::string& unit);

} // namespace commento
