#include "db/databases.hpp"

#include "base/clock.hpp"
#include "db/parts.hpp"

#include <charconv>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {

std::string scratch_of(const DatabaseServer& server) { return server.database + "_verify"; }
std::string restored_of(const DatabaseServer& server) { return server.database + "_restored"; }
std::string replaced_of(const DatabaseServer& server) { return server.database + "_replaced"; }

Result<Postgres> connect_for_backups(const Paths& paths, const Settings& settings) {
    const DatabaseServer server = database_server(paths, settings);
    return connect_outside(server, server.backup_role);
}

Result<Postgres> connect_outside(const DatabaseServer& server, const std::string& role) {
    auto outside = Postgres::connect(server, role, "postgres");
    return outside || server.is_own ? std::move(outside) : Postgres::connect(server, role, server.database);
}

Result<std::optional<std::int64_t>> mark_of(Postgres& connection, const std::string& database) {
    COMMENTO_ASSIGN(const auto rows, connection.query("SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM "
                                                      "pg_database WHERE datname = $1",
                                                      {database}));
    if (rows.empty())
        return std::nullopt;
    const std::string& text = rows[0].at(0);
    const auto digits = text.find_last_not_of("0123456789") + 1;
    std::int64_t moment = 0;
    std::from_chars(text.data() + digits, text.data() + text.size(), moment);
    return moment;
}

std::string marking(const std::string& database) {
    return fmt::format("COMMENT ON DATABASE {} IS 'commento-stack: complete at {}'", identifier(database), now());
}

Result<void> mark(Postgres& connection, const std::string& database) {
    COMMENTO_CHECK(connection.query(marking(database)));
    return {};
}

Result<void> remake(Postgres& connection, const DatabaseServer& server, const std::string& database) {
    COMMENTO_CHECK(drop(connection, database));
    COMMENTO_CHECK(connection.query(create_database(server, database)));
    return {};
}

Result<void> drop(Postgres& connection, const std::string& database) {
    COMMENTO_ASSIGN(const auto mark, mark_of(connection, database));
    if (mark) {
        COMMENTO_CHECK(connection.query(fmt::format("DROP DATABASE {} WITH (FORCE)", identifier(database))));
    }
    return {};
}

Result<void> drop_leftovers(Postgres& connection, const DatabaseServer& server, std::optional<std::int64_t> of_age) {
    COMMENTO_CHECK(drop(connection, scratch_of(server)));
    for (const auto& database : {restored_of(server), replaced_of(server)}) {
        COMMENTO_ASSIGN(const auto marked, mark_of(connection, database));
        const bool half = marked == 0;
        const bool old = of_age && marked && *marked < now() - *of_age;
        if (!half && !old)
            continue;
        COMMENTO_CHECK(drop(connection, database));
        spdlog::info("dropped database {}, which {}", database, half ? "a run that was cut off left" : "is not missed");
    }
    return {};
}

} // namespace commento
