#pragma once
// One connection to a PostgreSQL server over its local socket (libpq). Failures are ErrorCode::database with the
// server's own words.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

struct pg_conn;
struct pg_result;

namespace commento {

/// Where a cluster listens: the socket is FOLDER/.s.PGSQL.PORT.
struct Cluster {
    std::filesystem::path folder;
    int port;

    std::filesystem::path socket() const;
};

/// The cluster that the settings name.
Cluster cluster_of(const Paths& paths, const Settings& settings);

using Row = std::vector<std::string>;

class Postgres {
  public:
    /// Connects by peer authentication: the caller has to be the user that is called like the role.
    static Result<Postgres> connect(const Cluster& cluster, const std::string& role, const std::string& database);

    /// Whether a server accepts connections there (PQping): it needs no rights, and tells a server that is still
    /// starting from one that refuses this caller.
    static bool accepts_connections(const Cluster& cluster);

    /// Runs one statement, with `parameters` for $1, $2 … A NULL comes back as an empty text.
    Result<std::vector<Row>> query(const std::string& statement, const std::vector<std::string>& parameters = {});

    /// The server's, such as 15.
    int major_version() const;

    /// Runs several statements.
    Result<void> script(const std::string& statements);

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
