#include "database.hpp"

#include "text.hpp"

namespace standin {

namespace {

// Types of columns as the server numbers them.
constexpr Oid boolean_type = 16;
constexpr Oid integer_type = 23;
constexpr Oid timestamp_type = 1114;

nlohmann::json as_json(const std::string& value, Oid type) {
    switch (type) {
    case boolean_type:
        return value == "t";
    case integer_type:
        return std::stoi(value);
    case timestamp_type:
        return replace_all(value, " ", "T") + "Z";
    default:
        return value;
    }
}

std::string complaint_of(const PGresult* result, const PGconn* connection) {
    const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    return "pq: " + std::string(trimmed(message != nullptr ? message : PQerrorMessage(connection)));
}

Rows checked(PGresult* raw, const PGconn* connection) {
    Rows rows(raw);
    const ExecStatusType status = PQresultStatus(raw);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
        throw DatabaseError(complaint_of(raw, connection));
    }
    return rows;
}

std::vector<const char*> pointers_to(const Parameters& parameters) {
    std::vector<const char*> pointers;
    for (const std::string& parameter : parameters) {
        pointers.push_back(parameter.c_str());
    }
    return pointers;
}

} // namespace

std::string Rows::text(int row, int column) const {
    if (row >= size() || column >= PQnfields(result_.get())) {
        throw DatabaseError("the answer is not that of the statement");
    }
    return PQgetvalue(result_.get(), row, column);
}

nlohmann::json Rows::object(int row) const {
    nlohmann::json object = nlohmann::json::object();
    for (int column = 0; column < PQnfields(result_.get()); ++column) {
        object[PQfname(result_.get(), column)] = as_json(text(row, column), PQftype(result_.get(), column));
    }
    return object;
}

Pool::Pool(DatabaseAddress address, std::size_t max_idle) : address_(std::move(address)), max_idle_(max_idle) {}

Connection Pool::open() const {
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    for (const auto& [keyword, value] : address_.parameters) {
        keywords.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    Connection connection(PQconnectdbParams(keywords.data(), values.data(), 0), &PQfinish);
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        // One line for the log: what libpq adds below it is advice.
        const std::string complaint = PQerrorMessage(connection.get());
        throw DatabaseError(complaint.substr(0, complaint.find('\n')));
    }
    PQsetNoticeProcessor(
        connection.get(), [](void*, const char*) {}, nullptr);
    return connection;
}

Connection Pool::take_idle() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) {
        return {nullptr, &PQfinish};
    }
    Connection connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
}

void Pool::give_back(Connection connection) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < max_idle_) {
        idle_.push_back(std::move(connection));
    }
}

void Pool::forget_idle() {
    std::vector<Connection> closing;
    const std::lock_guard lock(mutex_);
    idle_.swap(closing);
}

Session::Session(Pool& pool) : pool_(pool), connection_(nullptr, &PQfinish) {}

Session::~Session() {
    if (connection_ != nullptr && PQstatus(connection_.get()) == CONNECTION_OK) {
        pool_.give_back(std::move(connection_));
    }
}

// A kept connection may have died since (the server was restarted); then, and only then, a new one gets a second try.
template <typename Statement>
Rows Session::run(Statement statement) {
    if (connection_ == nullptr) {
        connection_ = pool_.take_idle();
    }
    if (connection_ != nullptr) {
        try {
            return statement(connection_.get());
        } catch (const DatabaseError&) {
            if (PQstatus(connection_.get()) == CONNECTION_OK) {
                throw;
            }
            pool_.forget_idle();
        }
    }
    connection_ = pool_.open();
    return statement(connection_.get());
}

Rows Session::query(const std::string& sql, const Parameters& parameters) {
    const auto values = pointers_to(parameters);
    const int count = static_cast<int>(values.size());
    return run([&](PGconn* connection) {
        if (pool_.address().binary_parameters) {
            return checked(PQexecParams(connection, sql.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0),
                           connection);
        }
        // Two round trips, as the application's driver does without binary_parameters: a pooler that lends a server's
        // connection per transaction breaks this, and a test of such a pooler has to see it break.
        checked(PQprepare(connection, "", sql.c_str(), count, nullptr), connection);
        return checked(PQexecPrepared(connection, "", count, values.data(), nullptr, nullptr, 0), connection);
    });
}

void Session::script(const std::string& sql) {
    run([&](PGconn* connection) { return checked(PQexec(connection, sql.c_str()), connection); });
}

} // namespace standin
