#include "db/parts.hpp"

#include <array>
#include <fmt/format.h>

namespace commento {
namespace {

/// For the operator's own connections, which come on top of the pool's.
constexpr int kSpareConnections = 10;

struct Setting {
    const char* name;
    const char* value;
};

// No statement of the application, its migrations included, takes minutes; what does is stuck, and holds a connection
// of the pool and locks. A search_path without "$user" leaves no schema that comes before the application's own tables.
constexpr std::array kSettings{
    Setting{"statement_timeout", "10min"},
    Setting{"idle_in_transaction_session_timeout", "1min"},
    Setting{"search_path", "public"},
};

Part role(const char* name) {
    return {fmt::format("role {}", name),
            fmt::format("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{}')", name),
            fmt::format("CREATE ROLE \"{}\" LOGIN", name)};
}

Part connection_limit(const char* name, int limit) {
    return {fmt::format("limit of {} connections for role {}", limit, name),
            fmt::format("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{}' AND rolconnlimit = {})", name, limit),
            fmt::format("ALTER ROLE \"{}\" CONNECTION LIMIT {}", name, limit)};
}

Part setting(const char* name, const Setting& setting) {
    return {fmt::format("{} = {} for role {}", setting.name, setting.value, name),
            fmt::format("SELECT EXISTS (SELECT FROM pg_db_role_setting JOIN pg_roles ON pg_roles.oid = setrole "
                        "WHERE rolname = '{}' AND setdatabase = 0 AND '{}={}' = ANY (setconfig))",
                        name, setting.name, setting.value),
            fmt::format("ALTER ROLE \"{}\" SET {} TO '{}'", name, setting.name, setting.value)};
}

/// The names are ours alone, so what these roles may do is ours to say.
Part few_rights(const char* name, std::string_view database_making) {
    return {
        fmt::format("role {} may log in and {}", name,
                    database_making == "CREATEDB" ? "make databases" : "nothing else"),
        fmt::format("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{}' AND rolcanlogin AND {} rolcreatedb AND "
                    "NOT (rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls))",
                    name, database_making == "CREATEDB" ? "" : "NOT"),
        fmt::format("ALTER ROLE \"{}\" LOGIN NOSUPERUSER NOCREATEROLE {} NOREPLICATION NOBYPASSRLS", name,
                    database_making)};
}

Part membership(const char* name) {
    return {fmt::format("role {} is a member of role commento", name),
            fmt::format("SELECT EXISTS (SELECT FROM pg_roles AS one, pg_roles AS other WHERE one.rolname = '{}' AND "
                        "other.rolname = 'commento' AND pg_has_role(one.oid, other.oid, 'MEMBER'))",
                        name),
            fmt::format("GRANT commento TO \"{}\"", name)};
}

} // namespace

std::string create_database(std::string_view name) {
    // template0 and C.UTF-8: any text whatever the cluster's own locale is, and an order of text that no upgrade of the
    // system's C library changes, so indexes stay right.
    return fmt::format("CREATE DATABASE {} OWNER commento TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' "
                       "LC_CTYPE 'C.UTF-8'",
                       name);
}

std::vector<Part> parts_of_cluster(int pool) {
    std::vector<Part> parts{role(kRole)};
    parts.push_back({"database commento", "SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'commento')",
                     create_database(kDatabase)});
    for (const char* name : {kPoolRole, kBackupRole}) {
        parts.push_back(role(name));
        parts.push_back(few_rights(name, name == kBackupRole ? "CREATEDB" : "NOCREATEDB"));
        parts.push_back(membership(name));
    }
    parts.push_back(setting(kPoolRole, {"role", kRole}));
    for (const char* name : {kRole, kPoolRole}) {
        parts.push_back(connection_limit(name, pool + kSpareConnections));
        for (const auto& each : kSettings)
            parts.push_back(setting(name, each));
    }
    return parts;
}

std::vector<Part> parts_of_database() {
    return {
        {"schema public", "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public')", "CREATE SCHEMA public"},
        {"role commento may use, and make tables in, schema public",
         "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public' AND has_schema_privilege('commento', oid, "
         "'CREATE') AND has_schema_privilege('commento', oid, 'USAGE'))",
         "GRANT USAGE, CREATE ON SCHEMA public TO commento"},
        // CVE-2018-1058; PostgreSQL's own default from version 15 on.
        {"nobody else may make tables in schema public",
         "SELECT NOT EXISTS (SELECT FROM pg_namespace, aclexplode(nspacl) AS granted WHERE nspname = 'public' AND "
         "granted.grantee = 0 AND granted.privilege_type = 'CREATE')",
         "REVOKE CREATE ON SCHEMA public FROM PUBLIC"},
        {"extension plpgsql", "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'plpgsql')",
         "CREATE EXTENSION plpgsql"},
    };
}

} // namespace commento
