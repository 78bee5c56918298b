#pragma once
#include "cert/foreign.hpp"

namespace commento {

/// What dehydrated keeps in its BASEDIR, /var/lib/dehydrated on Debian. Layout: dehydrated 0.7.0, looked at.
Foreign read_dehydrated(const std::filesystem::path& folder);

} // namespace commento
