#include "db/census.hpp"

#include "base/acting_as.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace commento {
namespace {

// Identifiers from 16384 on are given to what is made after initdb (FirstNormalObjectId, access/transam.h).
constexpr const char* kObjects = "SELECT count(*) FROM pg_class WHERE oid >= 16384";

constexpr const char* kDatabases = "SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', "
                                   "'template1') ORDER BY 1";

constexpr const char* kBytes = "SELECT sum(pg_database_size(oid))::bigint FROM pg_database";

constexpr const char* kStale = "SELECT datname FROM pg_database WHERE datallowconn AND datcollversion IS DISTINCT FROM "
                               "pg_database_collation_actual_version(oid) AND datcollversion IS NOT NULL ORDER BY 1";

// Rows that begin with what they are about, as messages name it. Roles that begin with pg_ are PostgreSQL's own, and
// each version has its own. Of what versions write differently, such as the order within privileges, nothing is
// compared.
constexpr const char* kRoles =
    "SELECT 'role ' || rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, "
    "rolbypassrls, rolconnlimit, md5(coalesce(rolpassword, '')), rolvaliduntil FROM pg_authid WHERE rolname !~ '^pg_' "
    "ORDER BY rolname";

constexpr std::array kOtherFacts{
    "SELECT DISTINCT 'role ' || m.rolname, 'member', r.rolname, a.admin_option FROM pg_auth_members AS a "
    "JOIN pg_roles AS r ON r.oid = a.roleid JOIN pg_roles AS m ON m.oid = a.member WHERE m.rolname !~ '^pg_'",

    "SELECT coalesce('database ' || d.datname, 'role ' || r.rolname, 'settings'), coalesce(r.rolname, ''), "
    "unnest(setconfig) FROM pg_db_role_setting AS s LEFT JOIN pg_database AS d ON d.oid = s.setdatabase "
    "LEFT JOIN pg_roles AS r ON r.oid = s.setrole",

    "SELECT 'database ' || datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, "
    "datallowconn, datconnlimit FROM pg_database",
};

std::uint64_t number(const std::vector<Row>& rows) {
    std::uint64_t value = 0;
    const std::string& digits = rows.at(0).at(0);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

std::vector<std::string> names(const std::vector<Row>& rows) {
    std::vector<std::string> values(rows.size());
    std::ranges::transform(rows, values.begin(), [](const Row& row) { return row.at(0); });
    return values;
}

Result<Postgres> connect(const Paths& paths, const HostCluster& cluster, int port, const std::string& database) {
    COMMENTO_ASSIGN(const ActingAs owner, ActingAs::user(cluster.owner));
    return Postgres::connect(own_cluster(paths, port), cluster.owner, database);
}

Result<std::uint64_t> objects_in(const Paths& paths, const HostCluster& cluster, int port,
                                 const std::string& database) {
    COMMENTO_ASSIGN(Postgres server, connect(paths, cluster, port, database));
    return server.query(kObjects).map(number);
}

} // namespace

Result<Census> take_census(const Paths& paths, const HostCluster& cluster, int port) {
    Census census;
    COMMENTO_ASSIGN(Postgres server, connect(paths, cluster, port, "postgres"));
    COMMENTO_ASSIGN(census.databases, server.query(kDatabases).map(names));
    COMMENTO_ASSIGN(census.bytes, server.query(kBytes).map(number));
    COMMENTO_ASSIGN(census.facts, server.query(kRoles));
    census.has_roles = census.facts.size() > 1;
    for (const char* statement : kOtherFacts) {
        COMMENTO_ASSIGN(const auto rows, server.query(statement));
        census.facts.insert(census.facts.end(), rows.begin(), rows.end());
    }
    constexpr int kKnowsVersions = 15;
    if (cluster.version >= kKnowsVersions) {
        COMMENTO_ASSIGN(census.stale, server.query(kStale).map(names));
    }
    COMMENTO_ASSIGN(const auto in_postgres, objects_in(paths, cluster, port, "postgres"));
    COMMENTO_ASSIGN(const auto in_template, objects_in(paths, cluster, port, "template1"));
    census.objects = in_postgres + in_template;
    return census;
}

std::string differences(const Census& before, const Census& after) {
    std::set<std::string> names;
    const auto add = [&names](const std::vector<Row>& those, const std::vector<Row>& these) {
        for (const auto& row : those) {
            if (std::ranges::find(these, row) == these.end())
                names.insert(row.at(0));
        }
    };
    add(before.facts, after.facts);
    add(after.facts, before.facts);
    return fmt::format("{}", fmt::join(names, ", "));
}

} // namespace commento
