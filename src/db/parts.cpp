#include "db/parts.hpp"

#include "db/postgres.hpp"

#include <array>
#include <fmt/format.h>

namespace commento {
namespace {

/// For the operator's own connections, which come on top of the pool's.
constexpr int kSpareConnections = 10;

/// The user of commento-metrics.service, which asks how large the database is.
constexpr const char* kMetricsRole = "commento-metrics";

struct Setting {
    const char* name;
    std::string_view value;
};

// No statement of the application, its migrations included, takes minutes; what does is stuck, and holds a connection
// of the pool and locks. A search_path without "$user" leaves no schema that comes before the application's own tables.
constexpr std::array kSettings{
    Setting{"statement_timeout", "10min"},
    Setting{"idle_in_transaction_session_timeout", "1min"},
    Setting{"search_path", "public"},
};

std::string is_role_that(const std::string& name, std::string_view condition) {
    return fmt::format("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = {} AND {})", literal(name), condition);
}

Part role(const std::string& name, std::string_view options = "LOGIN") {
    return {"role " + name, is_role_that(name, "true"), fmt::format("CREATE ROLE {} {}", identifier(name), options)};
}

Part connection_limit(const std::string& name, int limit) {
    return {fmt::format("limit of {} connections for role {}", limit, name),
            is_role_that(name, fmt::format("rolconnlimit = {}", limit)),
            fmt::format("ALTER ROLE {} CONNECTION LIMIT {}", identifier(name), limit)};
}

Part setting(const std::string& name, const Setting& setting) {
    return {fmt::format("{} = {} for role {}", setting.name, setting.value, name),
            fmt::format("SELECT EXISTS (SELECT FROM pg_db_role_setting JOIN pg_roles ON pg_roles.oid = setrole "
                        "WHERE rolname = {} AND setdatabase = 0 AND {} = ANY (setconfig))",
                        literal(name), literal(fmt::format("{}={}", setting.name, setting.value))),
            fmt::format("ALTER ROLE {} SET {} TO {}", identifier(name), setting.name, literal(setting.value))};
}

/// The names are ours alone, so what these roles may do is ours to say.
Part few_rights(const std::string& name, bool makes_databases) {
    return {fmt::format("role {} may log in and {}", name, makes_databases ? "make databases" : "nothing else"),
            is_role_that(name, fmt::format("rolcanlogin AND {} rolcreatedb AND NOT (rolsuper OR rolcreaterole OR "
                                           "rolreplication OR rolbypassrls)",
                                           makes_databases ? "" : "NOT")),
            fmt::format("ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEROLE {} NOREPLICATION NOBYPASSRLS", identifier(name),
                        makes_databases ? "CREATEDB" : "NOCREATEDB")};
}

Part makes_databases(const std::string& name) {
    return {fmt::format("role {} may make databases, which verifying and restoring backups needs", name),
            is_role_that(name, "rolcreatedb"), fmt::format("ALTER ROLE {} CREATEDB", identifier(name)), true};
}

Part membership(const std::string& name, const std::string& of) {
    return {fmt::format("role {} is a member of role {}", name, of),
            fmt::format("SELECT EXISTS (SELECT FROM pg_roles AS one, pg_roles AS other WHERE one.rolname = {} AND "
                        "other.rolname = {} AND pg_has_role(one.oid, other.oid, 'MEMBER'))",
                        literal(name), literal(of)),
            fmt::format("GRANT {} TO {}", identifier(of), identifier(name))};
}

Part database(const DatabaseServer& server) {
    return {"database " + server.database,
            fmt::format("SELECT EXISTS (SELECT FROM pg_database WHERE datname = {})", literal(server.database)),
            create_database(server, server.database)};
}

} // namespace

std::string create_database(const DatabaseServer& server, std::string_view name) {
    // template0: any encoding. C.UTF-8: an order of text that no upgrade of the system's C library changes, so indexes
    // stay right. Whether another host has that locale is not for us to know.
    return fmt::format("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'{}", identifier(name),
                       identifier(server.owner), server.is_own ? " LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'" : "");
}

std::vector<Part> parts_of_own_cluster(const DatabaseServer& server, int pool) {
    std::vector<Part> parts{role(server.owner), database(server)};
    for (const auto& name : {server.pool_role, server.backup_role}) {
        parts.push_back(role(name));
        parts.push_back(few_rights(name, name == server.backup_role));
        parts.push_back(membership(name, server.owner));
    }
    parts.push_back(role(kMetricsRole));
    parts.push_back(few_rights(kMetricsRole, false));
    parts.push_back(setting(server.pool_role, {"role", server.owner}));
    for (const auto& name : {server.owner, server.pool_role}) {
        parts.push_back(connection_limit(name, pool + kSpareConnections));
        for (const auto& each : kSettings)
            parts.push_back(setting(name, each));
    }
    return parts;
}

std::vector<Part> parts_of_role(const DatabaseServer& server, int pool, const std::string& verifier) {
    Part limit = connection_limit(server.owner, pool + kSpareConnections);
    limit.can_be_missed = true; // who made the role may be somebody else
    return {role(server.owner, fmt::format("LOGIN PASSWORD {}", literal(verifier))), makes_databases(server.owner),
            limit};
}

std::vector<Part> parts_of_server(const DatabaseServer& server) {
    std::vector<Part> parts{makes_databases(server.owner)};
    for (const auto& each : kSettings)
        parts.push_back(setting(server.owner, each));
    parts.push_back(database(server));
    return parts;
}

std::vector<Part> parts_of_database(const DatabaseServer& server) {
    const std::string owner = literal(server.owner);
    // Up to version 14 everybody may make tables in it; the owner's right must not rest on that, for it is taken away
    // next.
    const std::string of_its_own = fmt::format(
        "EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public' AND (pg_has_role({0}, nspowner, 'USAGE') OR "
        "EXISTS (SELECT FROM aclexplode(nspacl) AS granted WHERE granted.privilege_type = 'CREATE' AND "
        "granted.grantee <> 0 AND pg_has_role({0}, granted.grantee, 'USAGE'))))",
        owner);
    return {
        {"schema public", "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public')", "CREATE SCHEMA public"},
        {fmt::format("role {} may use, and make tables in, schema public", server.owner),
         fmt::format("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public' AND has_schema_privilege({0}, "
                     "oid, 'CREATE') AND has_schema_privilege({0}, oid, 'USAGE')){1}",
                     owner, server.is_own ? " AND " + of_its_own : ""),
         "GRANT USAGE, CREATE ON SCHEMA public TO " + identifier(server.owner)},
        // CVE-2018-1058; PostgreSQL's own default from version 15 on.
        {"nobody else may make tables in schema public",
         "SELECT NOT EXISTS (SELECT FROM pg_namespace, aclexplode(nspacl) AS granted WHERE nspname = 'public' AND "
         "granted.grantee = 0 AND granted.privilege_type = 'CREATE')" +
             (server.is_own ? "" : " OR NOT " + of_its_own),
         "REVOKE CREATE ON SCHEMA public FROM PUBLIC", true},
        {"extension plpgsql", "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'plpgsql')",
         "CREATE EXTENSION plpgsql"},
    };
}

} // namespace commento
