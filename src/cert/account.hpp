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

/// The account there is for a directory, as it is on disk; for showing and comparing.
Result<Account> read_account(const Paths& paths, const std::string& directory);

/// Keeps what the authority said of it; writes only what changed.
Result<void> save_account(const Paths& paths, const std::string& directory, const Account& account);

/// Takes in an account from elsewhere, where there is none for that directory yet; false where there is.
Result<bool> adopt_account(const Paths& paths, const std::string& directory, const Account& account);

/// Whether there is a registered account for a directory.
bool has_account(const Paths& paths, const std::string& directory);

/// Directories that there are accounts for.
std::vector<std::string> account_directories(const Paths& paths);

/// Takes an account that was closed out of use; the next issue makes a new one. Its folder stays, renamed.
Result<void> forget_account(const Paths& paths, const std::string& directory);

/// A new key for an account, kept beside the present one until settle_key(): whichever the authority knows after a
/// crash is on disk.
Result<PrivateKey> prepare_key(const Paths& paths, const std::string& directory);

/// The key of a change that was not settled; null where there is none.
Result<PrivateKey> prepared_key(const Paths& paths, const std::string& directory);

enum class KeyChange { done, refused };

/// Ends a change: the new key takes the place of the present one, or goes.
Result<void> settle_key(const Paths& paths, const std::string& directory, KeyChange outcome);

} // namespace commento
