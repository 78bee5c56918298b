#pragma once

#include <map>
#include <string>

namespace standin {

/// A database address, read as strictly and with the same defaults as the application's driver reads it.
struct DatabaseAddress {
    std::string shown;                             // for the log: the password of the userinfo part is left out
    std::map<std::string, std::string> parameters; // for libpq
    bool binary_parameters = false;
};

/// Logs and throws FatalError where the address cannot be understood.
DatabaseAddress parse_database_address(const std::string& address);

} // namespace standin
