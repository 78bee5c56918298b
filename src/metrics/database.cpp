#include "metrics/database.hpp"

#include "config/database_server.hpp"

#include <charconv>
#include <libpq-fe.h>
#include <memory>
#include <string_view>
#include <utility>

namespace commento {
namespace {

constexpr const char* kRole = "commento-metrics"; // as the user: peer authentication
// Not the comment server's database itself: while anybody is connected to it, a restored one can't take its place.
constexpr const char* kFrom = "postgres";
constexpr const char* kQuery = "SELECT pg_database_size(datid), numbackends, current_setting('max_connections') "
                               "FROM pg_stat_database WHERE datname = $1";

struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
};

std::unique_ptr<PGconn, Finish> connect(const DatabaseServer& server) {
    ConnectionWords words = connection_words(server, kRole, kFrom);
    words.insert(words.end(),
                 {{"connect_timeout", "2"}, {"options", "-c statement_timeout=2s"}, {"application_name", kRole}});
    const ConnectionArrays parameters(std::move(words));
    return std::unique_ptr<PGconn, Finish>(PQconnectdbParams(parameters.keywords(), parameters.values(), 0));
}

std::int64_t number_at(const PGresult* result, int column) {
    const std::string_view digits(PQgetvalue(result, 0, column));
    std::int64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

} // namespace

std::optional<Database> ask_database(const Paths& paths, const Settings& settings) {
    const DatabaseServer server = database_server(paths, settings);
    const auto connection = connect(server);
    if (PQstatus(connection.get()) != CONNECTION_OK)
        return std::nullopt;
    const char* name = server.database.c_str();
    const std::unique_ptr<PGresult, Finish> result(
        PQexecParams(connection.get(), kQuery, 1, nullptr, &name, nullptr, nullptr, 0));
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK || PQntuples(result.get()) != 1)
        return std::nullopt;
    return Database{number_at(result.get(), 0), number_at(result.get(), 1), number_at(result.get(), 2)};
}

} // namespace commento
