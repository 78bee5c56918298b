#pragma once
// Where the comments are: the host's own PostgreSQL cluster, or the server that DATABASE_URL names; and how one comes
// there.

#include "base/paths.hpp"
#include "config/database_url.hpp"
#include "config/settings.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace commento {

struct DatabaseServer {
    /// The host's own cluster: PostgreSQL knows each of our roles by the user that connects (peer authentication), and
    /// the user postgres may do anything. Elsewhere there is one role, `owner`, and its password.
    bool is_own;
    std::vector<DatabaseHost> hosts;
    std::string database;    ///< the application's
    std::string owner;       ///< role that it belongs to
    std::string pool_role;   ///< role that the pool logs in as
    std::string backup_role; ///< role that makes backups and puts them back
    std::string password;    ///< empty where none is asked for
    std::string tls_mode;    ///< as libpq's sslmode
    std::string authorities; ///< PEM file of the authorities that the server's certificate may come from; may be empty
    std::string session_attributes; ///< as libpq's target_session_attrs
};

/// The host's own cluster on that port.
DatabaseServer own_cluster(const Paths& paths, int port);

/// The server that the settings name.
DatabaseServer database_server(const Paths& paths, const Settings& settings);

/// The same server as the role that may make others, where DATABASE_ADMIN_URL names one: `owner` is that role and
/// `database` the one that it connects to.
std::optional<DatabaseServer> database_admin(const Paths& paths, const Settings& settings);

inline constexpr int kPoolPort = 6432; ///< of the name of the pool's socket

/// The pool as a server: whoever may open its socket is let in, and comes to the application's database.
DatabaseServer database_pool(const Paths& paths);

/// Its hosts with their ports, for messages.
std::string to_string(const DatabaseServer& server);

/// Keywords and values as libpq's PQconnectdbParams() takes them, without the password.
using ConnectionWords = std::vector<std::pair<std::string, std::string>>;
ConnectionWords connection_words(const DatabaseServer& server, const std::string& role, const std::string& database);

/// They as libpq takes them: two arrays that end with a null.
class ConnectionArrays {
  public:
    explicit ConnectionArrays(ConnectionWords words);
    ConnectionArrays(const ConnectionArrays&) = delete;
    ConnectionArrays& operator=(const ConnectionArrays&) = delete;

    const char* const* keywords() const { return keywords_.data(); }
    const char* const* values() const { return values_.data(); }

  private:
    ConnectionWords words_;
    std::vector<const char*> keywords_;
    std::vector<const char*> values_;
};

} // namespace commento
