#pragma once

#include "database_address.hpp"

#include <cstddef>
#include <libpq-fe.h>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace standin {

class DatabaseError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

using Parameters = std::vector<std::string>;

/// The answer to one statement.
class Rows {
  public:
    explicit Rows(PGresult* result) : result_(result, &PQclear) {}

    int size() const { return PQntuples(result_.get()); }
    bool empty() const { return size() == 0; }

    /// Throws DatabaseError where the answer is not that large: behind a pooler it may be another statement's.
    std::string text(int row, int column) const;
    bool flag(int row, int column) const { return text(row, column) == "t"; }

    /// The row as a JSON object named after its columns: booleans, numbers and times become what they are in the API.
    nlohmann::json object(int row) const;

  private:
    std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

/// Keeps connections that nobody uses; opens a new one whenever it has none, without any bound.
class Pool {
  public:
    Pool(DatabaseAddress address, std::size_t max_idle);

    const DatabaseAddress& address() const { return address_; }

    Connection open() const;    // throws DatabaseError
    Connection take_idle();     // null where there is none
    void give_back(Connection); // closes it where enough are kept
    void forget_idle();

  private:
    DatabaseAddress address_;
    std::size_t max_idle_;
    std::mutex mutex_;
    std::vector<Connection> idle_;
};

/// One request's use of the database: takes its connection with the first statement, gives it back at the end.
class Session {
  public:
    explicit Session(Pool& pool);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// One statement; every parameter is sent as text. Throws DatabaseError.
    Rows query(const std::string& sql, const Parameters& parameters = {});

    /// Any number of statements, without parameters. Throws DatabaseError.
    void script(const std::string& sql);

    /// Makes sure that the server answers. Throws DatabaseError.
    void ping() { script(""); }

  private:
    template <typename Statement>
    Rows run(Statement statement);

    Pool& pool_;
    Connection connection_;
};

} // namespace standin
