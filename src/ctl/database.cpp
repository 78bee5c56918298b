#include "ctl/database.hpp"

#include "base/acting_as.hpp"
#include "base/host_facts.hpp"
#include "base/translate.hpp"
#include "config/database_server.hpp"

#include <charconv>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace commento {
namespace {

constexpr const char* kPatience = "2"; // seconds, for each host
constexpr const char* kQuery = "SELECT pg_database_size(current_database()), "
                               "extract(epoch FROM pg_postmaster_start_time())::bigint, "
                               "current_setting('server_version_num'), (SELECT count(*) FROM pg_stat_activity "
                               "WHERE backend_type = 'client backend'), current_setting('max_connections')";

struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;

std::string first_line(const char* text) {
    const std::string_view all(text);
    return std::string(all.substr(0, all.find('\n')));
}

ConnectionArrays parameters_for(const DatabaseServer& server) {
    ConnectionWords words = connection_words(server, server.owner, server.database);
    words.insert(
        words.end(),
        {{"connect_timeout", kPatience}, {"options", "-c statement_timeout=2s"}, {"application_name", "commentoctl"}});
    return ConnectionArrays(std::move(words));
}

Connection connect(const DatabaseServer& server) {
    const ConnectionArrays parameters = parameters_for(server);
    return Connection(PQconnectdbParams(parameters.keywords(), parameters.values(), 0));
}

/// For peer authentication.
Connection connect_as(const std::string& user, const DatabaseServer& server) {
    const auto acting = ActingAs::user(user);
    return connect(server);
}

/// The server answers, so a refusal is about who asks.
bool is_refusal(const DatabaseServer& server) {
    const ConnectionArrays parameters = parameters_for(server);
    return PQpingParams(parameters.keywords(), parameters.values(), 0) == PQPING_OK;
}

std::int64_t number_at(const PGresult* result, int column) {
    const std::string_view digits(PQgetvalue(result, 0, column));
    std::int64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

} // namespace

Result<DatabaseFacts> ask_database(const Paths& paths, const Settings& settings) {
    const DatabaseServer there = database_server(paths, settings);
    // Who asks has not always the password of a server elsewhere; the pool has.
    const DatabaseServer server = there.is_own ? there : database_pool(paths);
    const bool acts = there.is_own && ::geteuid() == 0;
    const Connection connection = acts ? connect_as(server.owner, server) : connect(server);
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        const bool denied = ::geteuid() != 0 && (!there.is_own || is_refusal(server));
        return fail(denied ? ErrorCode::permission : ErrorCode::database, first_line(PQerrorMessage(connection.get())),
                    there.is_own ? tr("is PostgreSQL up, and on the port DATABASE_PORT? {} shows it",
                                      host_facts(paths).show_clusters)
                                 : tr("commentoctl db check says more"));
    }
    const std::unique_ptr<PGresult, Finish> result(PQexec(connection.get(), kQuery));
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
        return fail(ErrorCode::database, first_line(PQerrorMessage(connection.get())));
    const auto small = [&](int column) { return static_cast<int>(number_at(result.get(), column)); };
    return DatabaseFacts{number_at(result.get(), 0), number_at(result.get(), 1), small(2), small(3), small(4)};
}

} // namespace commento
