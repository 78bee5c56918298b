#pragma once
#include "cert/foreign.hpp"

namespace commento {

/// What lego keeps in the folder of its option --path, .lego in the home by default. Layout: lego 4.9.1, looked at.
Foreign read_lego(const std::filesystem::path& folder);

} // namespace commento
