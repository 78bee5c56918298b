#pragma once
// Accounts with ACME authorities, on disk: one folder for each directory address.

#include "acme/acme_client.hpp"
#include "base/paths.hpp"

#include <string>
#include <vector>

namespace commento {

/// The account for a directory. A new key is on disk before this returns: no account is ever registered with a key
/// that could be lost.
Result<Account> load_account(const Paths& paths, const std::string& directory);

/// Keeps what the authority said of it; writes only what changed.
Result<void> save_account(const Paths& paths, const std::string& directory, const Account& account);

/// Takes in an account from elsewhere, where there is none for that directory yet; false where there is.
Result<bool> adopt_account(const Paths& paths, const std::string& directory, const Account& account);

/// Directories that there are accounts for.
std::vector<std::string> account_directories(const Paths& paths);

} // namespace commento
