#pragma once
#include "cert/foreign.hpp"

namespace commento {

/// What acme.sh keeps in its home, .acme.sh in that of its user by default. Layout: acme.sh 3.1.4
/// (github.com/acmesh-official/acme.sh), _initpath() and _regAccount() of its source, and looked at.
Foreign read_acme_sh(const std::filesystem::path& folder);

} // namespace commento
