#pragma once
// What would keep settings that are not in place yet from working: names that lead elsewhere, ports that others have,
// CAA records against the authority.

#include "base/paths.hpp"
#include "config/settings.hpp"

#include <string>

namespace commento {

struct Prospect {
    bool is_good;     ///< nothing would keep it from working
    std::string text; ///< a line for each thing that was seen, and what mends it; no end of line
};

/// Looks at DNS, the CA and this host's ports: seconds, where a server does not answer.
Prospect look_ahead(const Paths& paths, const Settings& candidate);

} // namespace commento
