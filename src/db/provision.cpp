#include "db/provision.hpp"

#include "db/postgres.hpp"
#include "db/wait.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

constexpr std::chrono::seconds kServerLimit{60};

// Both are called like the user that the application runs as: peer authentication asks for that.
constexpr const char* kRole = "commento";
constexpr const char* kDatabase = "commento";

constexpr const char* kCreateRole = "CREATE ROLE commento LOGIN";
// template0 and C.UTF-8: any text whatever the cluster's own locale is, and an order of text that no upgrade of the
// system's C library changes, so indexes stay right.
constexpr const char* kCreateDatabase = "CREATE DATABASE commento OWNER commento TEMPLATE template0 "
                                        "ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'";

std::string run_as_postgres(int port, std::string_view statement) {
    return fmt::format("sudo -u postgres psql -p {} -c '{}'", port, statement);
}

Result<Inventory> take_inventory(Postgres& server) {
    Inventory inventory;
    COMMENTO_ASSIGN(const auto standby, server.query("SELECT pg_is_in_recovery()"));
    inventory.is_standby = standby.at(0).at(0) == "t";
    COMMENTO_ASSIGN(const auto roles,
                    server.query("SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = $1", {kRole}));
    if (!roles.empty())
        inventory.role = {roles[0].at(0) == "t", roles[0].at(1) == "t"};
    COMMENTO_ASSIGN(const auto databases,
                    server.query("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = $1", {kDatabase}));
    if (!databases.empty())
        inventory.database_owner = databases[0].at(0);
    return inventory;
}

/// A second run beside this one waits here, and then finds everything made. The lock goes with the connection.
Result<void> keep_others_out(Postgres& server) {
    constexpr const char* kLock = "SELECT pg_advisory_lock(hashtext('commento-db provision'))";
    COMMENTO_CHECK(server.query(kLock));
    return {};
}

/// What the application would meet as "permission denied for schema public" is found and named here.
Result<void> check_schema(const Cluster& cluster) {
    COMMENTO_ASSIGN(auto database, Postgres::connect(cluster, kDatabase));
    COMMENTO_ASSIGN(const auto rights, database.query("SELECT has_schema_privilege($1, oid, 'CREATE') AND "
                                                      "has_schema_privilege($1, oid, 'USAGE') "
                                                      "FROM pg_namespace WHERE nspname = 'public'",
                                                      {kRole}));
    if (!rights.empty() && rights[0].at(0) == "t")
        return {};
    return fail(ErrorCode::database,
                fmt::format("role {} may not make tables in schema public of database {}", kRole, kDatabase),
                fmt::format("grant it: sudo -u postgres psql -p {} -d {} -c 'CREATE SCHEMA IF NOT EXISTS public; "
                            "GRANT USAGE, CREATE ON SCHEMA public TO {}'",
                            cluster.port, kDatabase, kRole));
}

} // namespace

Result<std::vector<std::string>> missing_parts(const Inventory& inventory, int port) {
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
    if (inventory.database_owner && *inventory.database_owner != kRole)
        return fail(ErrorCode::database,
                    fmt::format("database {} is there already and belongs to role {}; it stays as it is", kDatabase,
                                *inventory.database_owner),
                    fmt::format("is it for the comment server? Then give it, and what is in it, to role {} (ALTER "
                                "DATABASE OWNER TO, REASSIGN OWNED). Else rename it, or set DATABASE_PORT to another "
                                "cluster",
                                kRole));
    std::vector<std::string> statements;
    if (!inventory.role)
        statements.emplace_back(kCreateRole);
    if (!inventory.database_owner)
        statements.emplace_back(kCreateDatabase);
    return statements;
}

Result<void> provision(const Paths& paths, const Settings& settings) {
    const Cluster cluster{paths.postgres_sockets(), settings.number("DATABASE_PORT")};
    COMMENTO_CHECK(wait_for_server(cluster, kServerLimit));
    COMMENTO_ASSIGN(auto server, Postgres::connect(cluster, "postgres"));
    COMMENTO_CHECK(keep_others_out(server));
    COMMENTO_ASSIGN(const Inventory inventory, take_inventory(server));
    COMMENTO_ASSIGN(const auto statements, missing_parts(inventory, cluster.port));
    for (const auto& statement : statements) {
        COMMENTO_CHECK(server.query(statement));
        spdlog::info("{}: done", statement);
    }
    COMMENTO_CHECK(check_schema(cluster));
    if (statements.empty())
        spdlog::info("nothing to do: role and database {} are there", kDatabase);
    return {};
}

} // namespace commento
