#pragma once
// Whether this host's nginx serves what was installed, and what happens when it does not.

#include "base/error.hpp"
#include "cert/generation.hpp"
#include "cert/site.hpp"

#include <optional>

namespace commento {

/// What nginx shows for a site's first name.
enum class Shown {
    ours,    ///< a generation of the site's store
    other,   ///< another certificate: nothing here serves ours
    nothing, ///< no answer
};

/// Before a change.
Shown look_at_served(const Site& site);

/// Waits until nginx serves a generation that was published; `before` is what it showed until then. Where it does not
/// come to that, the former generation is put back and waited for (ErrorCode::web; the message says what is served).
/// Where nginx showed nothing before, the new one stays: nginx is what is wrong. Where nothing here served ours, there
/// is nothing to wait for, except for the comment server's own.
Result<void> await_served(const Site& site, const Generation& generation, Shown before);

} // namespace commento
