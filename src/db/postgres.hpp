#pragma once
// One connection to a PostgreSQL server (libpq). Failures are ErrorCode::database with the server's own words.

#include "base/error.hpp"
#include "config/database_server.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;
struct pg_result;

namespace commento {

/// A name, such as that of a role, and a text as they stand in a statement.
std::string identifier(std::string_view name);
std::string literal(std::string_view text);

/// Whether a statement is not to be shown.
bool holds_password(std::string_view statement);

using Row = std::vector<std::string>;

class Postgres {
  public:
    /// Connects as a role of the server. To the host's own cluster that is by peer authentication: the caller has to be
    /// the user that is called like the role.
    static Result<Postgres> connect(const DatabaseServer& server, const std::string& role, const std::string& database);

    /// Whether a server accepts connections there (PQping): it needs no rights, and tells a server that is still
    /// starting from one that refuses this caller.
    static bool accepts_connections(const DatabaseServer& server);

    /// Runs one statement, with `parameters` for $1, $2 … A NULL comes back as an empty text.
    Result<std::vector<Row>> query(const std::string& statement, const std::vector<std::string>& parameters = {});

    /// The server's, such as 15.
    int major_version() const;

    /// Runs several statements.
    Result<void> script(const std::string& statements);

    /// Which of the server's hosts this is.
    DatabaseHost host() const;

    /// Returns when the connection is lost, and not before.
    void wait_until_lost();

    /// What stands for a password in CREATE ROLE, so that it goes neither over the network nor into the server's log.
    Result<std::string> scram_verifier(const std::string& role, const std::string& password);

    /// SQLSTATE of the last statement that failed.
    const std::string& state() const { return state_; }

  private:
    Result<std::vector<Row>> judge(pg_result* raw, const std::string& statement);

    struct Finish {
        void operator()(pg_conn* connection) const;
    };
    explicit Postgres(std::unique_ptr<pg_conn, Finish> connection) : connection_(std::move(connection)) {}
    std::unique_ptr<pg_conn, Finish> connection_;
    std::string state_;
};

} // namespace commento
