#pragma once
// What the running application answers for its static files: it writes the site's address into them, so the release's
// own files are not what readers get.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

#include <string>
#include <vector>

namespace commento {

struct Asset {
    std::string path;    ///< files/js/commento.js, pages/login.html; with the site's base path after the first part
    std::string content; ///< at most 8 MiB
};

/// Asks for all files in the release's folders js, css, images, fonts and i18n, and for all its pages, sorted by path.
/// What it does not answer with status 200 is left out. ErrorCode::application where there is no release, more than
/// 2,000 files, nothing to have, or where the application is not reached.
Result<std::vector<Asset>> fetch_assets(const Paths& paths, const Settings& settings);

} // namespace commento
