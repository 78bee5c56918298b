#include "db/postgres.hpp"

#include <charconv>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <tuple>

namespace commento {
namespace {

ConnectionArrays parameters_for(const DatabaseServer& server, const std::string& role, const std::string& database) {
    ConnectionWords words = connection_words(server, role, database);
    words.insert(words.end(),
                 {{"password", server.password},
                  {"application_name", "commento-db"},
                  {"connect_timeout", server.is_own ? "60" : "5"}, // seconds, for each host
                  // The owner of a database can put functions and settings into it: run none of these as superuser.
                  {"options", "-c search_path= -c statement_timeout=5min -c idle_in_transaction_session_timeout=0 "
                              "-c client_min_messages=warning -c standard_conforming_strings=on"}});
    return ConnectionArrays(std::move(words));
}

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

std::string doubled(std::string_view text, char quote) {
    std::string quoted(1, quote);
    for (const char c : text)
        quoted.append(c == quote ? 2 : 1, c);
    return quoted + quote;
}

/// The words are libpq's own (fe-secure-openssl.c, fe-secure-common.c), in English, since no program of ours sets
/// LC_MESSAGES.
bool is_about_certificate(std::string_view message) {
    return message.find("certificate verify failed") != std::string_view::npos ||
           message.find("server certificate for") != std::string_view::npos;
}

/// From libpq, too (fe-connect.c).
bool is_about_standby(std::string_view message) {
    return message.find("session is read-only") != std::string_view::npos ||
           message.find("server is in hot standby mode") != std::string_view::npos;
}

std::string hint_on_certificate(const DatabaseServer& server) {
    const DatabaseHost& host = server.hosts.front();
    return fmt::format(
        "it may have expired, be another host's, or come from an authority that is not in {0}; openssl "
        "says which: openssl s_client -starttls postgres -connect {1}:{2} -CAfile {0} -verify_hostname {1}",
        server.authorities, host.name, host.port);
}

std::string hint_on_refusal(const DatabaseServer& server, const std::string& role, PGconn* connection) {
    if (server.is_own)
        return fmt::format("only the user {0} may do this, and pg_hba.conf must let it in over the local socket "
                           "(\"local all {0} peer\"); try: commentoctl db provision",
                           role);
    if (is_about_certificate(PQerrorMessage(connection)))
        return hint_on_certificate(server);
    if (is_about_standby(PQerrorMessage(connection)))
        return "none of the servers takes changes: promote the standby that is to take over";
    if (PQconnectionNeedsPassword(connection) != 0)
        return fmt::format("the password of {} belongs into secrets.conf: DATABASE_PASSWORD, or for the role of "
                           "DATABASE_ADMIN_URL into that address",
                           role);
    if (PQconnectionUsedPassword(connection) != 0)
        return fmt::format("does {} have that password (secrets.conf), and may it come from this host (the server's "
                           "pg_hba.conf)?",
                           role);
    return "is the server up, and is DATABASE_URL right? Where the settings were changed a moment ago: systemctl "
           "daemon-reload lets our units reach it";
}

} // namespace

std::string identifier(std::string_view name) { return doubled(name, '"'); }

std::string literal(std::string_view text) { return doubled(text, '\''); }

bool holds_password(std::string_view statement) { return statement.find(" PASSWORD ") != std::string_view::npos; }

void Postgres::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

Result<Postgres> Postgres::connect(const DatabaseServer& server, const std::string& role, const std::string& database) {
    const ConnectionArrays parameters = parameters_for(server, role, database);
    std::unique_ptr<pg_conn, Finish> connection(PQconnectdbParams(parameters.keywords(), parameters.values(), 0));
    if (PQstatus(connection.get()) != CONNECTION_OK)
        return fail(ErrorCode::database, trimmed(PQerrorMessage(connection.get())),
                    hint_on_refusal(server, role, connection.get()));
    return Postgres(std::move(connection));
}

bool Postgres::accepts_connections(const DatabaseServer& server) {
    const ConnectionArrays parameters = parameters_for(server, "postgres", "postgres");
    return PQpingParams(parameters.keywords(), parameters.values(), 0) == PQPING_OK;
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

DatabaseHost Postgres::host() const {
    const std::string_view digits = PQport(connection_.get());
    DatabaseHost host{PQhost(connection_.get()), 0};
    std::from_chars(digits.data(), digits.data() + digits.size(), host.port);
    return host;
}

void Postgres::wait_until_lost() {
    while (PQstatus(connection_.get()) == CONNECTION_OK) {
        pollfd events{PQsocket(connection_.get()), POLLIN, 0};
        std::ignore = ::poll(&events, 1, -1);
        std::ignore = PQconsumeInput(connection_.get()); // its failure ends the connection
    }
}

Result<std::string> Postgres::scram_verifier(const std::string& role, const std::string& password) {
    const std::unique_ptr<char, decltype(&PQfreemem)> verifier(
        PQencryptPasswordConn(connection_.get(), password.c_str(), role.c_str(), "scram-sha-256"), &PQfreemem);
    if (!verifier)
        return fail(ErrorCode::database, trimmed(PQerrorMessage(connection_.get())));
    return std::string(verifier.get());
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
    return fail(ErrorCode::database,
                fmt::format("{} (in: {})", trimmed(PQerrorMessage(connection_.get())),
                            holds_password(statement) ? "a statement with a password" : statement));
}

} // namespace commento
