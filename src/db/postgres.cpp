#include "db/postgres.hpp"

#include <array>
#include <fmt/format.h>
#include <libpq-fe.h>

namespace commento {
namespace {

/// What libpq takes as two arrays that end with a null.
class Parameters {
  public:
    Parameters(const Cluster& cluster, const std::string& role, const std::string& database)
        : values_{cluster.folder.string(), std::to_string(cluster.port), role, database, "commento-db", "60",
                  // The owner of a database can put functions and settings into it: run none of these as superuser.
                  "-c search_path= -c statement_timeout=5min -c client_min_messages=warning"} {
        for (std::size_t i = 0; i < values_.size(); ++i)
            pointers_.at(i) = values_.at(i).c_str();
    }

    static const char* const* keywords() { return kKeywords.data(); }
    const char* const* values() const { return pointers_.data(); }

  private:
    static constexpr std::size_t kCount = 7;
    static constexpr std::array<const char*, kCount + 1> kKeywords{
        "host", "port", "user", "dbname", "application_name", "connect_timeout", "options", nullptr};

    std::array<std::string, kCount> values_;
    std::array<const char*, kCount + 1> pointers_{};
};

/// libpq ends its messages with a line feed.
std::string trimmed(std::string text) {
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
};

std::vector<Row> rows_of(const PGresult* result) {
    std::vector<Row> rows(static_cast<std::size_t>(PQntuples(result)));
    for (std::size_t row = 0; row < rows.size(); ++row) {
        for (int column = 0; column < PQnfields(result); ++column)
            rows[row].emplace_back(PQgetvalue(result, static_cast<int>(row), column));
    }
    return rows;
}

} // namespace

std::filesystem::path Cluster::socket() const { return folder / fmt::format(".s.PGSQL.{}", port); }

Cluster cluster_of(const Paths& paths, const Settings& settings) {
    return {paths.postgres_sockets(), settings.number("DATABASE_PORT")};
}

void Postgres::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

Result<Postgres> Postgres::connect(const Cluster& cluster, const std::string& role, const std::string& database) {
    const Parameters parameters(cluster, role, database);
    std::unique_ptr<pg_conn, Finish> connection(PQconnectdbParams(Parameters::keywords(), parameters.values(), 0));
    if (PQstatus(connection.get()) != CONNECTION_OK)
        return fail(ErrorCode::database, trimmed(PQerrorMessage(connection.get())),
                    fmt::format("only the user {0} may do this, and pg_hba.conf must let it in over the local socket "
                                "(\"local all {0} peer\"); try: commentoctl db provision",
                                role));
    return Postgres(std::move(connection));
}

bool Postgres::accepts_connections(const Cluster& cluster) {
    const Parameters parameters(cluster, "postgres", "postgres");
    return PQpingParams(Parameters::keywords(), parameters.values(), 0) == PQPING_OK;
}

Result<std::vector<Row>> Postgres::query(const std::string& statement, const std::vector<std::string>& parameters) {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& parameter : parameters)
        values.push_back(parameter.c_str());
    return judge(PQexecParams(connection_.get(), statement.c_str(), static_cast<int>(values.size()), nullptr,
                              values.data(), nullptr, nullptr, 0),
                 statement);
}

int Postgres::major_version() const {
    constexpr int kMajor = 10000; // PQserverVersion() numbers version 15.3 as 150003
    return PQserverVersion(connection_.get()) / kMajor;
}

Result<void> Postgres::script(const std::string& statements) {
    return judge(PQexec(connection_.get(), statements.c_str()), "a script").map([](const auto& /*rows*/) {});
}

Result<std::vector<Row>> Postgres::judge(pg_result* raw, const std::string& statement) {
    const std::unique_ptr<PGresult, Clear> result(raw);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return rows_of(result.get());
    const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    state_ = state == nullptr ? "" : state;
    return fail(ErrorCode::database, fmt::format("{} (in: {})", trimmed(PQerrorMessage(connection_.get())), statement));
}

} // namespace commento
