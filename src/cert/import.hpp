#pragma once
// Moving in from another ACME client: its accounts and its certificates, so that neither a registration nor an issue is
// spent. The client's files are only read.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace commento {

struct ImportRequest {
    std::string client;             ///< one of importable_clients()
    std::filesystem::path folder{}; ///< where it keeps things; empty: its default for root
};

/// certbot, lego, acme.sh, dehydrated.
std::vector<std::string> importable_clients();

/// Takes in each account where there is none with that authority, and for each site the certificate that is for exactly
/// its names, unless one from an authority is in place that fits the settings better or lasts longer. Everything is
/// checked before anything is written; what can't be used is told with its file and the reason, and hinders nothing
/// else. A second run changes nothing. ErrorCode::settings where the folder holds nothing of that client,
/// ErrorCode::permission where it may not be read, else the failures of the store.
Result<void> import_from(const Paths& paths, const ImportRequest& request);

} // namespace commento
