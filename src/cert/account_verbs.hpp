#pragma once
// What an operator can do with an account at an authority. `directory` is the authority's address; empty: the one that
// the settings name first.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <string>

namespace commento {

/// All accounts as a JSON text: directory, url, email, terms. For who may read them: root and commento-cert.
Result<std::string> describe_accounts(const Paths& paths);

/// Makes the account where there is none, and tells the authority of a changed EMAIL.
Result<void> update_account(const Paths& paths, const std::string& directory);

/// Gives the account a new key. Cut off at any point, the next run finds out which one the authority knows.
Result<void> roll_account_key(const Paths& paths, const std::string& directory);

/// Closes the account for good; the next issue makes a new one.
Result<void> deactivate_account(const Paths& paths, const std::string& directory);

} // namespace commento
