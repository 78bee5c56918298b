#pragma once
// The certificates of this host as JSON, for commentoctl and for programs. Reads the store, the settings and what is
// known of failures; asks nobody. commento-cert(8) tells what the members mean.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <string>
#include <vector>

namespace commento {

/// An array with one object for each certificate; only those by these names, where there are any.
Result<std::string> describe_certificates(const Paths& paths, const std::vector<std::string>& names);

} // namespace commento
