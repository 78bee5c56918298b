#pragma once
// DATABASE_URL: a connection URI as libpq reads it (PostgreSQL's manual, "Connection URIs"). Of its parameters only
// those are taken that the pool, which is not libpq, can follow, too.

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace commento {

/// A name or address, or the folder of a Unix socket, which begins with a slash.
struct DatabaseHost {
    std::string name;
    int port;

    bool operator==(const DatabaseHost&) const = default;
};

struct DatabaseUrl {
    std::string user;
    std::string password;
    std::vector<DatabaseHost> hosts;
    std::string database;
    std::string tls_mode;           ///< sslmode
    std::string authorities;        ///< sslrootcert
    std::string session_attributes; ///< target_session_attrs
};

/// The error is what is wrong with it, and never holds a password.
tl::expected<DatabaseUrl, std::string> parse_database_url(std::string_view url);

} // namespace commento
