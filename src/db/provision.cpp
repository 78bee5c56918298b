#include "db/provision.hpp"

#include "base/files.hpp"
#include "db/parts.hpp"
#include "db/pool.hpp"
#include "db/postgres.hpp"
#include "db/wait.hpp"

#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace commento {
namespace {

constexpr std::chrono::seconds kServerLimit{60};

std::string run_as_postgres(int port, std::string_view statement) {
    return fmt::format("sudo -u postgres psql -p {} -c '{}'", port, statement);
}

bool is_true(const std::vector<Row>& rows) { return !rows.empty() && rows[0].at(0) == "t"; }

Result<Inventory> take_inventory(Postgres& server) {
    Inventory inventory;
    COMMENTO_ASSIGN(const auto standby, server.query("SELECT pg_is_in_recovery()"));
    inventory.is_standby = is_true(standby);
    COMMENTO_ASSIGN(const auto roles,
                    server.query("SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = $1", {kRole}));
    if (!roles.empty())
        inventory.role = {roles[0].at(0) == "t", roles[0].at(1) == "t"};
    COMMENTO_ASSIGN(const auto databases,
                    server.query("SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding) FROM pg_database "
                                 "WHERE datname = $1",
                                 {kDatabase}));
    if (!databases.empty())
        inventory.database = {databases[0].at(0), databases[0].at(1)};
    return inventory;
}

/// A second run beside this one waits here, and then finds everything made. The lock goes with the connection.
Result<void> keep_others_out(Postgres& server) {
    constexpr const char* kLock = "SELECT pg_advisory_lock(hashtext('commento-db provision'))";
    COMMENTO_CHECK(server.query(kLock));
    return {};
}

/// Connections that the cluster takes from others than superusers.
Result<int> connections_of(Postgres& server) {
    COMMENTO_ASSIGN(const auto rows, server.query("SELECT current_setting('max_connections')::int - "
                                                  "current_setting('superuser_reserved_connections')::int"));
    const std::string& digits = rows.at(0).at(0);
    int connections = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), connections);
    return connections;
}

std::uint64_t memory_of_host() {
    return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

tl::unexpected<Error> somebody_elses(const std::string& what, int port) {
    return fail(
        ErrorCode::database,
        fmt::format("database {} holds what is not the comment server's: {}; it stays as it is", kDatabase, what),
        fmt::format("rename that database ({}), or set DATABASE_PORT to another cluster",
                    run_as_postgres(port, "ALTER DATABASE commento RENAME TO …")));
}

/// Refuses a database in which somebody else works.
Result<void> check_tables(Postgres& database, int port) {
    COMMENTO_ASSIGN(const auto foreign,
                    database.query("SELECT format('%s.%s (owner %s)', nspname, relname, pg_get_userbyid(relowner)) "
                                   "FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
                                   "WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname !~ '^pg_' AND "
                                   "nspname <> 'information_schema' AND pg_get_userbyid(relowner) <> $1 AND NOT EXISTS "
                                   "(SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = "
                                   "pg_class.oid AND deptype = 'e') ORDER BY 1 LIMIT 5",
                                   {kRole}));
    std::vector<std::string> names;
    names.reserve(foreign.size());
    for (const auto& row : foreign)
        names.push_back(row.at(0));
    if (!names.empty())
        return somebody_elses(fmt::format("{}", fmt::join(names, ", ")), port);
    COMMENTO_ASSIGN(const auto unknown,
                    database.query("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public') AND NOT EXISTS "
                                   "(SELECT FROM information_schema.columns WHERE table_schema = 'public' AND "
                                   "table_name = 'migrations' AND column_name = 'filename')"));
    if (is_true(unknown))
        return somebody_elses("tables of role commento, but no table migrations, which the application makes first",
                              port);
    return {};
}

/// Text is ordered by the system's C library where the database's locale is not C: indexes may be wrong after an
/// upgrade of that library.
Result<void> warn_of_changed_order(Postgres& server, int port) {
    constexpr int kFirstThatKnows = 15;
    if (server.major_version() < kFirstThatKnows)
        return {};
    COMMENTO_ASSIGN(const auto changed,
                    server.query("SELECT datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid) "
                                 "FROM pg_database WHERE datname = $1",
                                 {kDatabase}));
    if (is_true(changed))
        spdlog::warn("the order of text in database {} changed with the system's C library: make its indexes anew ({}; "
                     "ALTER DATABASE commento REFRESH COLLATION VERSION)",
                     kDatabase, run_as_postgres(port, "REINDEX DATABASE commento"));
    return {};
}

using OnFault = std::function<Result<void>(Postgres&, const Part&)>;

/// Calls `on_fault` for each part that is not as it should be. The value is how many there were.
Result<int> for_each_fault(Postgres& server, const std::vector<Part>& parts, const OnFault& on_fault) {
    int faults = 0;
    for (const auto& part : parts) {
        COMMENTO_ASSIGN(const auto present, server.query(part.test));
        if (is_true(present))
            continue;
        ++faults;
        COMMENTO_CHECK(on_fault(server, part));
    }
    return faults;
}

Result<void> repair(Postgres& server, const Part& part) {
    COMMENTO_CHECK(server.query(part.repair));
    spdlog::info("{}: done", part.repair);
    return {};
}

Result<void> tell(Postgres& /*server*/, const Part& part) {
    spdlog::warn("not so: {}", part.what);
    return {};
}

/// A cluster that takes changes, locked for this run, with what stands in the way of none of ours.
Result<Postgres> open_cluster(const Cluster& cluster) {
    COMMENTO_CHECK(wait_for_server(cluster, kServerLimit));
    COMMENTO_ASSIGN(Postgres server, Postgres::connect(cluster, "postgres", "postgres"));
    COMMENTO_CHECK(keep_others_out(server));
    COMMENTO_ASSIGN(const Inventory inventory, take_inventory(server));
    COMMENTO_CHECK(check_inventory(inventory, cluster.port));
    return server;
}

Result<int> for_each_fault_within(Postgres& server, const Cluster& cluster, const OnFault& on_fault) {
    COMMENTO_ASSIGN(const Inventory inventory, take_inventory(server));
    if (!inventory.database)
        return 0;
    COMMENTO_CHECK(warn_of_changed_order(server, cluster.port));
    COMMENTO_ASSIGN(Postgres database, Postgres::connect(cluster, "postgres", kDatabase));
    COMMENTO_CHECK(check_tables(database, cluster.port));
    return for_each_fault(database, parts_of_database(), on_fault);
}

struct Found {
    int faults;
    int pool;
};

Result<Found> go_through(const Cluster& cluster, const Settings& settings, const OnFault& on_fault) {
    COMMENTO_ASSIGN(Postgres server, open_cluster(cluster));
    COMMENTO_ASSIGN(const int connections, connections_of(server));
    COMMENTO_ASSIGN(const int pool, pool_size(settings, memory_of_host(), connections));
    COMMENTO_ASSIGN(const int outside, for_each_fault(server, parts_of_cluster(pool), on_fault));
    COMMENTO_ASSIGN(const int inside, for_each_fault_within(server, cluster, on_fault));
    return Found{outside + inside, pool};
}

} // namespace

Result<void> check_inventory(const Inventory& inventory, int port) {
    if (inventory.is_standby)
        return fail(ErrorCode::database,
                    fmt::format("the PostgreSQL cluster on port {} is a standby, which takes no changes", port),
                    "promote it, or set DATABASE_PORT to a cluster on this host that may be written to");
    if (inventory.role && !inventory.role->may_log_in)
        return fail(ErrorCode::database, fmt::format("role {} is there already, but may not log in", kRole),
                    fmt::format("is it for the comment server? Then: {}",
                                run_as_postgres(port, fmt::format("ALTER ROLE {} LOGIN", kRole))));
    if (inventory.role && inventory.role->is_superuser)
        return fail(
            ErrorCode::database,
            fmt::format("role {} is a superuser, so the application could do anything to every database", kRole),
            fmt::format("take that right away: {}",
                        run_as_postgres(port, fmt::format("ALTER ROLE {} NOSUPERUSER", kRole))));
    if (inventory.database && inventory.database->owner != kRole)
        return fail(ErrorCode::database,
                    fmt::format("database {} is there already and belongs to role {}; it stays as it is", kDatabase,
                                inventory.database->owner),
                    fmt::format("is it for the comment server? Then give it, and what is in it, to role {} (ALTER "
                                "DATABASE OWNER TO, REASSIGN OWNED). Else rename it, or set DATABASE_PORT to another "
                                "cluster",
                                kRole));
    if (inventory.database && inventory.database->encoding != "UTF8")
        return fail(ErrorCode::database,
                    fmt::format("database {} has the encoding {}, in which not every comment can be written", kDatabase,
                                inventory.database->encoding),
                    "dump it, make it anew with ENCODING 'UTF8' TEMPLATE template0, and put the dump back");
    return {};
}

Result<void> provision(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(const Found found, go_through(cluster_of(paths, settings), settings, repair));
    const std::string config = pool_config(paths, cluster_of(paths, settings), found.pool);
    COMMENTO_ASSIGN(const bool wrote, update_file(paths.pool_config(), config, S_IRUSR | S_IWUSR));
    if (wrote)
        spdlog::info("wrote {}: {} connections", paths.pool_config().string(), found.pool);
    if (found.faults == 0 && !wrote)
        spdlog::info("nothing to do: roles and database {} are as they should be", kDatabase);
    return {};
}

Result<void> check(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(const Found found, go_through(cluster_of(paths, settings), settings, tell));
    if (found.faults != 0)
        return fail(ErrorCode::unhealthy,
                    fmt::format("{} of the database's parts are not as the comment server needs them", found.faults),
                    "commentoctl db provision repairs them, and drops nothing");
    spdlog::info("roles and database {} are as they should be", kDatabase);
    return {};
}

} // namespace commento
