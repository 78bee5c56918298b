#pragma once
// What is known to be out of date, from the projects' own pages.

#include <string>
#include <string_view>

namespace commento {

/// "15.8" of 150008 (server_version_num).
std::string version_of_postgresql(int number);

/// The day, YYYY-MM-DD, on which the project's support of this major version ends; empty where it is not known here
/// (postgresql.org/support/versioning, read in 2025).
std::string support_end_of_postgresql(int number);

/// Why a release of the application (name of its folder) should not be used any more; empty where nothing speaks
/// against it.
std::string why_outdated(std::string_view release);

} // namespace commento
