#include "db/provision.hpp"

#include "base/files.hpp"
#include "base/host_facts.hpp"
#include "db/databases.hpp"
#include "db/host_clusters.hpp"
#include "db/parts.hpp"
#include "db/pool.hpp"
#include "db/postgres.hpp"
#include "db/wait.hpp"

#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace commento {
namespace {

constexpr std::chrono::seconds kServerLimit{60};

/// How the operator gives a statement to the server.
std::string as_superuser(const DatabaseServer& server, std::string_view statement) {
    if (server.is_own)
        return fmt::format("sudo -u postgres psql -p {} -c '{}'", server.hosts.front().port, statement);
    return fmt::format("as a superuser on {}: {}", to_string(server), statement);
}

/// The key that names another server.
const char* key_of(const DatabaseServer& server) { return server.is_own ? "DATABASE_PORT" : "DATABASE_URL"; }

bool is_true(const std::vector<Row>& rows) { return !rows.empty() && rows[0].at(0) == "t"; }

Result<Inventory> take_inventory(Postgres& connection, const DatabaseServer& server) {
    Inventory inventory;
    COMMENTO_ASSIGN(const auto standby, connection.query("SELECT pg_is_in_recovery()"));
    inventory.is_standby = is_true(standby);
    COMMENTO_ASSIGN(const auto roles,
                    connection.query("SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = $1", {server.owner}));
    if (!roles.empty())
        inventory.role = {roles[0].at(0) == "t", roles[0].at(1) == "t"};
    COMMENTO_ASSIGN(const auto databases,
                    connection.query("SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding) FROM pg_database "
                                     "WHERE datname = $1",
                                     {server.database}));
    if (!databases.empty())
        inventory.database = {databases[0].at(0), databases[0].at(1)};
    return inventory;
}

/// A second run beside this one waits here, and then finds everything made. The lock goes with the connection.
Result<void> keep_others_out(Postgres& connection) {
    constexpr const char* kLock = "SELECT pg_advisory_lock(hashtext('commento-db provision'))";
    COMMENTO_CHECK(connection.query(kLock));
    return {};
}

/// Connections that the server takes from others than superusers.
Result<int> connections_of(Postgres& connection) {
    COMMENTO_ASSIGN(const auto rows,
                    connection.query("SELECT current_setting('max_connections')::int - "
                                     "current_setting('superuser_reserved_connections')::int - "
                                     // From version 16 on.
                                     "coalesce(current_setting('reserved_connections', true)::int, 0)"));
    const std::string& digits = rows.at(0).at(0);
    int connections = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), connections);
    return connections;
}

std::uint64_t memory_of_host() {
    return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

Result<int> pool_size_for(Postgres& connection, const Settings& settings) {
    COMMENTO_ASSIGN(const int connections, connections_of(connection));
    return pool_size(settings, memory_of_host(), connections);
}

tl::unexpected<Error> somebody_elses(const std::string& what, const DatabaseServer& server) {
    return fail(
        ErrorCode::database,
        fmt::format("database {} holds what is not the comment server's: {}; it stays as it is", server.database, what),
        fmt::format("rename that database ({}), or set {} to another one",
                    as_superuser(server, fmt::format("ALTER DATABASE {} RENAME TO …", server.database)),
                    key_of(server)));
}

/// Fails where the database holds tables that the application did not make.
Result<void> check_tables(Postgres& database, const DatabaseServer& server) {
    COMMENTO_ASSIGN(const auto foreign,
                    database.query("SELECT format('%s.%s (owner %s)', nspname, relname, pg_get_userbyid(relowner)) "
                                   "FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
                                   "WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname !~ '^pg_' AND "
                                   "nspname <> 'information_schema' AND pg_get_userbyid(relowner) <> $1 AND NOT EXISTS "
                                   "(SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = "
                                   "pg_class.oid AND deptype = 'e') ORDER BY 1 LIMIT 5",
                                   {server.owner}));
    std::vector<std::string> names;
    names.reserve(foreign.size());
    for (const auto& row : foreign)
        names.push_back(row.at(0));
    if (!names.empty())
        return somebody_elses(fmt::format("{}", fmt::join(names, ", ")), server);
    COMMENTO_ASSIGN(const auto unknown,
                    database.query("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public') AND NOT EXISTS "
                                   "(SELECT FROM information_schema.columns WHERE table_schema = 'public' AND "
                                   "table_name = 'migrations' AND column_name = 'filename')"));
    if (is_true(unknown))
        return somebody_elses(
            fmt::format("tables of role {}, but no table migrations, which the application makes first", server.owner),
            server);
    return {};
}

/// Text is ordered by the system's C library where the database's locale is not C: indexes may be wrong after an
/// upgrade of that library.
Result<void> warn_of_changed_order(Postgres& connection, const DatabaseServer& server) {
    constexpr int kFirstThatKnows = 15;
    if (connection.major_version() < kFirstThatKnows)
        return {};
    COMMENTO_ASSIGN(const auto changed,
                    connection.query("SELECT datcollversion IS DISTINCT FROM "
                                     "pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = $1",
                                     {server.database}));
    if (is_true(changed))
        spdlog::warn(
            "the order of text in database {0} changed with the system's C library: make its indexes anew ({1}; "
            "ALTER DATABASE {0} REFRESH COLLATION VERSION)",
            server.database, as_superuser(server, "REINDEX DATABASE " + server.database));
    return {};
}

using OnFault = std::function<Result<void>(Postgres&, const Part&)>;

/// Calls `on_fault` for each part that is not as it should be. The value is how many there were.
Result<int> for_each_fault(Postgres& connection, const std::vector<Part>& parts, const OnFault& on_fault) {
    int faults = 0;
    for (const auto& part : parts) {
        COMMENTO_ASSIGN(const auto present, connection.query(part.test));
        if (is_true(present))
            continue;
        ++faults;
        COMMENTO_CHECK(on_fault(connection, part));
    }
    return faults;
}

Result<void> repair(Postgres& connection, const Part& part) {
    constexpr const char* kInsufficientPrivilege = "42501";
    const auto repaired = connection.query(part.repair);
    if (!repaired && connection.state() != kInsufficientPrivilege)
        return tl::unexpected(repaired.error());
    // GRANT and REVOKE of what somebody else owns are no error (PostgreSQL's manual).
    COMMENTO_ASSIGN(const auto present, connection.query(part.test));
    if (is_true(present)) {
        spdlog::info("{}: done", part.what);
        return {};
    }
    const std::string remedy = holds_password(part.repair)
                                   ? "the role in DATABASE_ADMIN_URL has to be allowed to make roles (CREATEROLE)"
                                   : fmt::format("who may change it: {}", part.repair);
    if (!part.can_be_missed)
        return fail(ErrorCode::database, fmt::format("not so, and this role may not change it: {}", part.what), remedy);
    spdlog::warn("not so, and this role may not change it: {}; {}", part.what, remedy);
    return {};
}

Result<void> tell(Postgres& /*connection*/, const Part& part) {
    spdlog::warn("not so: {}", part.what);
    return {};
}

struct Found {
    int faults;
    int pool; ///< connections
};

/// What is within the database: of ours alone, and as it should be.
Result<int> for_each_fault_within(Postgres& database, const DatabaseServer& server, const OnFault& on_fault) {
    COMMENTO_CHECK(warn_of_changed_order(database, server));
    COMMENTO_CHECK(check_tables(database, server));
    return for_each_fault(database, parts_of_database(server), on_fault);
}

/// The Debian package only recommends a server. Where none is installed, nobody has to wait for it.
Result<void> require_server(const Paths& paths) {
    const HostFacts facts = host_facts(paths);
    if (facts.family != Family::debian || !installed_versions(paths).empty())
        return {};
    return fail(ErrorCode::database, "no PostgreSQL server is installed on this host",
                fmt::format("{}; or DATABASE_URL, where the database is elsewhere",
                            fmt::join(facts.install("postgresql"), " ")));
}

/// The host's own cluster: the user postgres may do anything there.
Result<Found> go_through_own_cluster(const Paths& paths, const DatabaseServer& server, const Settings& settings,
                                     const OnFault& on_fault) {
    COMMENTO_CHECK(require_server(paths));
    COMMENTO_CHECK(wait_for_server(paths, server, kServerLimit));
    COMMENTO_ASSIGN(Postgres cluster, Postgres::connect(server, "postgres", "postgres"));
    COMMENTO_CHECK(keep_others_out(cluster));
    COMMENTO_ASSIGN(const Inventory before, take_inventory(cluster, server));
    COMMENTO_CHECK(check_inventory(before, server));
    COMMENTO_ASSIGN(const int pool, pool_size_for(cluster, settings));
    COMMENTO_ASSIGN(const int outside, for_each_fault(cluster, parts_of_own_cluster(server, pool), on_fault));
    COMMENTO_ASSIGN(const Inventory now, take_inventory(cluster, server));
    if (!now.database)
        return Found{outside, pool};
    COMMENTO_ASSIGN(Postgres database, Postgres::connect(server, "postgres", server.database));
    COMMENTO_ASSIGN(const int within, for_each_fault_within(database, server, on_fault));
    return Found{outside + within, pool};
}

/// What needs the right to make roles; nothing without DATABASE_ADMIN_URL.
Result<int> for_each_fault_of_role(const Paths& paths, const Settings& settings, const DatabaseServer& server,
                                   const OnFault& on_fault) {
    const auto admin = database_admin(paths, settings);
    if (!admin)
        return 0;
    if (server.password.empty())
        return fail(ErrorCode::settings,
                    fmt::format("{}: DATABASE_PASSWORD is not set, and role {} is to be made with it",
                                paths.secrets().string(), server.owner),
                    "make one up (openssl rand -base64 24) and set it there");
    COMMENTO_ASSIGN(Postgres connection, Postgres::connect(*admin, admin->owner, admin->database));
    COMMENTO_ASSIGN(const int pool, pool_size_for(connection, settings));
    COMMENTO_ASSIGN(const std::string verifier, connection.scram_verifier(server.owner, server.password));
    return for_each_fault(connection, parts_of_role(server, pool, verifier), on_fault);
}

Result<Found> go_through_server(const Paths& paths, const DatabaseServer& server, const Settings& settings,
                                const OnFault& on_fault) {
    COMMENTO_ASSIGN(const int of_role, for_each_fault_of_role(paths, settings, server, on_fault));
    COMMENTO_ASSIGN(Postgres outside, connect_outside(server, server.owner));
    COMMENTO_CHECK(keep_others_out(outside));
    COMMENTO_ASSIGN(const Inventory before, take_inventory(outside, server));
    COMMENTO_CHECK(check_inventory(before, server));
    COMMENTO_ASSIGN(const int pool, pool_size_for(outside, settings));
    COMMENTO_ASSIGN(const int of_server, for_each_fault(outside, parts_of_server(server), on_fault));
    COMMENTO_ASSIGN(const Inventory now, take_inventory(outside, server));
    if (!now.database)
        return Found{of_role + of_server, pool};
    COMMENTO_ASSIGN(Postgres database, Postgres::connect(server, server.owner, server.database));
    COMMENTO_ASSIGN(const int within, for_each_fault_within(database, server, on_fault));
    return Found{of_role + of_server + within, pool};
}

Result<Found> go_through(const Paths& paths, const Settings& settings, const OnFault& on_fault) {
    const DatabaseServer server = database_server(paths, settings);
    return server.is_own ? go_through_own_cluster(paths, server, settings, on_fault)
                         : go_through_server(paths, server, settings, on_fault);
}

/// Where this run fails, no pool may start that leads to the server of the settings before: what is written there would
/// be missed as soon as another run succeeds.
Result<void> forget_other_server(const Paths& paths, const DatabaseServer& server) {
    const auto config = read_file(paths.pool_config());
    if (!config || leads_there(*config, paths, server))
        return {};
    std::error_code fault;
    std::filesystem::remove(paths.pool_config(), fault);
    if (fault)
        return fail_errno(ErrorCode::storage, fmt::format("cannot remove {}", paths.pool_config().string()),
                          fault.value());
    return sync_folder(paths.pool_config().parent_path());
}

} // namespace

Result<void> check_inventory(const Inventory& inventory, const DatabaseServer& server) {
    if (inventory.is_standby)
        return fail(ErrorCode::database,
                    fmt::format("the PostgreSQL server at {} is a standby, which takes no changes", to_string(server)),
                    fmt::format("promote it, or set {} to one that may be written to", key_of(server)));
    if (inventory.role && !inventory.role->may_log_in)
        return fail(ErrorCode::database, fmt::format("role {} is there already, but may not log in", server.owner),
                    fmt::format("is it for the comment server? Then: {}",
                                as_superuser(server, fmt::format("ALTER ROLE {} LOGIN", server.owner))));
    if (inventory.role && inventory.role->is_superuser)
        return fail(
            ErrorCode::database,
            fmt::format("role {} is a superuser, so the application could do anything to every database", server.owner),
            fmt::format("take that right away: {}",
                        as_superuser(server, fmt::format("ALTER ROLE {} NOSUPERUSER", server.owner))));
    if (inventory.database && inventory.database->owner != server.owner)
        return fail(ErrorCode::database,
                    fmt::format("database {} is there already and belongs to role {}; it stays as it is",
                                server.database, inventory.database->owner),
                    fmt::format("is it for the comment server? Then give it, and what is in it, to role {} (ALTER "
                                "DATABASE OWNER TO, REASSIGN OWNED). Else rename it, or set {} to another one",
                                server.owner, key_of(server)));
    if (inventory.database && inventory.database->encoding != "UTF8")
        return fail(ErrorCode::database,
                    fmt::format("database {} has the encoding {}, in which not every comment can be written",
                                server.database, inventory.database->encoding),
                    "dump it, make it anew with ENCODING 'UTF8' TEMPLATE template0, and put the dump back");
    return {};
}

Result<void> provision(const Paths& paths, const Settings& settings) {
    const DatabaseServer server = database_server(paths, settings);
    COMMENTO_CHECK(forget_other_server(paths, server));
    // Who runs this by hand has none, and must not take it from the units.
    if (!server.is_own && !server.password.empty()) {
        COMMENTO_CHECK(update_file(paths.database_password(), server.password, S_IRUSR | S_IWUSR));
    }
    COMMENTO_ASSIGN(const Found found, go_through(paths, settings, repair));
    const std::string config = pool_config(paths, server, found.pool);
    COMMENTO_ASSIGN(const bool wrote, update_file(paths.pool_config(), config, S_IRUSR | S_IWUSR));
    if (wrote)
        spdlog::info("wrote {}: {} connections", paths.pool_config().string(), found.pool);
    if (found.faults == 0 && !wrote)
        spdlog::info("nothing to do: roles and database {} are as they should be", server.database);
    return {};
}

Result<void> check(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(const Found found, go_through(paths, settings, tell));
    if (found.faults != 0)
        return fail(ErrorCode::unhealthy,
                    fmt::format("{} of the database's parts are not as the comment server needs them", found.faults),
                    "commentoctl db provision repairs them, as far as its role may, and drops nothing");
    spdlog::info("roles and database {} are as they should be", database_server(paths, settings).database);
    return {};
}

} // namespace commento
