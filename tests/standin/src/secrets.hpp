#pragma once

#include <string>

namespace standin {

/// 64 hexadecimal digits nobody can guess: names of rows and session tokens alike.
std::string random_hex();

/// A bcrypt hash as the application stores it: as slow as there, and understood there.
std::string hash_password(const std::string& password);

bool password_matches(const std::string& password, const std::string& hash);

} // namespace standin
