#pragma once
#include <string>

namespace commento {

/// By libpsl's built-in copy of the Public Suffix List; the name itself where it is a public suffix. libpsl is loaded
/// at its first use: libcurl needs it anyhow, and a run with nothing due does not.
std::string find_registered_domain(const std::string& name);

} // namespace commento
