#include "db/databases.hpp"

#include "base/clock.hpp"
#include "db/parts.hpp"

#include <charconv>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {

Result<Postgres> connect_for_backups(const Paths& paths, const Settings& settings) {
    return Postgres::connect(cluster_of(paths, settings), kBackupRole, "postgres");
}

Result<std::optional<std::int64_t>> mark_of(Postgres& server, const std::string& database) {
    COMMENTO_ASSIGN(const auto rows, server.query("SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM "
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
    return fmt::format("COMMENT ON DATABASE {} IS 'commento-stack: complete at {}'", database, now());
}

Result<void> mark(Postgres& server, const std::string& database) {
    COMMENTO_CHECK(server.query(marking(database)));
    return {};
}

Result<void> remake(Postgres& server, const std::string& database) {
    COMMENTO_CHECK(drop(server, database));
    COMMENTO_CHECK(server.query(create_database(database)));
    return {};
}

Result<void> drop(Postgres& server, const std::string& database) {
    COMMENTO_ASSIGN(const auto mark, mark_of(server, database));
    if (mark) {
        COMMENTO_CHECK(server.query(fmt::format("DROP DATABASE {} WITH (FORCE)", database)));
    }
    return {};
}

Result<void> drop_leftovers(Postgres& server, std::optional<std::int64_t> of_age) {
    COMMENTO_CHECK(drop(server, kScratch));
    for (const char* database : {kRestored, kReplaced}) {
        COMMENTO_ASSIGN(const auto marked, mark_of(server, database));
        const bool half = marked == 0;
        const bool old = of_age && marked && *marked < now() - *of_age;
        if (!half && !old)
            continue;
        COMMENTO_CHECK(drop(server, database));
        spdlog::info("dropped database {}, which {}", database, half ? "a run that was cut off left" : "is not missed");
    }
    return {};
}

} // namespace commento
