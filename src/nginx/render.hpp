#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"
#include "base/units.hpp"
#include "config/settings.hpp"

namespace commento {

/// Brings nginx's site to what the settings ask for, accepted by `nginx -t`, and has a running nginx reloaded where it
/// changed. The reload is queued, not waited for: as a unit this runs before nginx.service, whose jobs wait for it.
/// Nothing is touched where a setting is wrong, the certificate is missing or a port is taken.
Result<void> render(const Paths& paths);

/// The same without the reload; whether the site changed.
Result<bool> update_site(const Paths& paths, const Settings& settings, Units& units);

} // namespace commento
