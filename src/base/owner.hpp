#pragma once
#include "base/error.hpp"

#include <filesystem>
#include <string>

namespace commento {

/// Fails with ErrorCode::permission and that hint where a folder belongs to another user than this process': what root
/// made there could be neither read, replaced nor removed by its owner's runs any more. One that is not there is no
/// failure.
Result<void> check_owner(const std::filesystem::path& folder, const std::string& hint);

} // namespace commento
