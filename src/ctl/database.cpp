#include "ctl/database.hpp"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <memory>
#include <pwd.h>
#include <string>
#include <unistd.h>

namespace commento {
namespace {

constexpr const char* kRole = "commento"; // user, role and database have one name
constexpr const char* kQuery = "SELECT pg_database_size(current_database()), "
                               "extract(epoch FROM pg_postmaster_start_time())::bigint";

struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;

/// Root acts as another user while this lives.
class ActingAs {
  public:
    explicit ActingAs(const char* user) {
        const passwd* entry = ::geteuid() == 0 ? ::getpwnam(user) : nullptr;
        acting_ = entry != nullptr && ::seteuid(entry->pw_uid) == 0;
    }
    ~ActingAs() {
        if (acting_ && ::seteuid(0) != 0)
            std::abort(); // never go on with fewer rights than the rest of the program counts on
    }
    ActingAs(const ActingAs&) = delete;
    ActingAs& operator=(const ActingAs&) = delete;

  private:
    bool acting_;
};

std::string first_line(const char* text) {
    const std::string_view all(text);
    return std::string(all.substr(0, all.find('\n')));
}

Connection connect(const std::string& folder, const std::string& port) {
    const std::array names{"host",
                           "port",
                           "user",
                           "dbname",
                           "connect_timeout",
                           "options",
                           "application_name",
                           static_cast<const char*>(nullptr)};
    const std::array values{folder.c_str(),
                            port.c_str(),
                            kRole,
                            kRole,
                            "2",
                            "-c statement_timeout=2s",
                            "commentoctl",
                            static_cast<const char*>(nullptr)};
    const ActingAs role(kRole);
    return Connection(PQconnectdbParams(names.data(), values.data(), 0));
}

/// The server answers, so a refusal is about who asks.
bool is_refusal(const std::string& folder, const std::string& port) {
    const std::array names{"host", "port", "connect_timeout", static_cast<const char*>(nullptr)};
    const std::array values{folder.c_str(), port.c_str(), "2", static_cast<const char*>(nullptr)};
    return PQpingParams(names.data(), values.data(), 0) == PQPING_OK;
}

std::int64_t number_at(const PGresult* result, int column) {
    const std::string_view digits(PQgetvalue(result, 0, column));
    std::int64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

} // namespace

Result<DatabaseFacts> ask_database(const Paths& paths, int port) {
    const std::string folder = paths.postgres_sockets();
    const std::string port_text = std::to_string(port);
    const Connection connection = connect(folder, port_text);
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        const bool denied = ::geteuid() != 0 && is_refusal(folder, port_text);
        return fail(denied ? ErrorCode::permission : ErrorCode::database, first_line(PQerrorMessage(connection.get())),
                    "is PostgreSQL up, and on the port DATABASE_PORT? pg_lsclusters shows it");
    }
    const std::unique_ptr<PGresult, Finish> result(PQexec(connection.get(), kQuery));
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
        return fail(ErrorCode::database, first_line(PQerrorMessage(connection.get())));
    return DatabaseFacts{number_at(result.get(), 0), number_at(result.get(), 1)};
}

} // namespace commento
