#pragma once
// Accounts with ACME authorities, on disk: one folder for each directory address.

#include "base/paths.hpp"
#include "cert/acme_client.hpp"

namespace commento {

/// The account for a directory. A new key is on disk before this returns: no account is ever registered with a key
/// that could be lost.
Result<Account> load_account(const Paths& paths, const std::string& directory);

/// Keeps what the authority said of it; writes only what changed.
Result<void> save_account(const Paths& paths, const std::string& directory, const Account& account);

} // namespace commento
