#include "config/database_server.hpp"

#include "base/host_facts.hpp"
#include "config/keys.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace commento {
namespace {

constexpr const char* kFull = "verify-full";

bool is_on_this_host(const DatabaseHost& host) {
    const bool is_loopback = host.name == "::1" || (host.name.starts_with("127.") && is_ip_address(host.name));
    return host.name.starts_with('/') || host.name == "localhost" || is_loopback;
}

bool is_verified(std::string_view tls_mode) { return tls_mode.starts_with("verify-"); }

/// What goes over a network is encrypted, and to whom it goes is checked, unless the address says otherwise.
DatabaseServer server_of(const Paths& paths, const DatabaseUrl& url, const std::string& password) {
    DatabaseServer server{.is_own = false,
                          .hosts = url.hosts,
                          .database = url.database,
                          .owner = url.user,
                          .pool_role = url.user,
                          .backup_role = url.user,
                          .password = url.password.empty() ? password : url.password,
                          .tls_mode = url.tls_mode,
                          .authorities = url.authorities,
                          .session_attributes = url.session_attributes};
    if (server.tls_mode.empty())
        server.tls_mode = std::ranges::all_of(server.hosts, is_on_this_host) ? "prefer" : kFull;
    // As libpq has it, and PgBouncer has not.
    if (server.tls_mode == "require" && !server.authorities.empty())
        server.tls_mode = "verify-ca";
    if (server.authorities.empty() && is_verified(server.tls_mode))
        server.authorities = host_facts(paths).authorities; // a file, since PgBouncer takes no folder
    if (server.session_attributes.empty())
        server.session_attributes = "read-write";
    return server;
}

} // namespace

DatabaseServer own_cluster(const Paths& paths, int port) {
    return {.is_own = true,
            .hosts = {{paths.postgres_sockets().string(), port}},
            .database = "commento",
            .owner = "commento",
            .pool_role = "commento-db",
            .backup_role = "commento-backup",
            .password = {},
            .tls_mode = "disable",
            .authorities = {},
            .session_attributes = "any"};
}

DatabaseServer database_server(const Paths& paths, const Settings& settings) {
    const auto url = parse_database_url(settings.text("DATABASE_URL"));
    return url ? server_of(paths, *url, settings.text("DATABASE_PASSWORD"))
               : own_cluster(paths, settings.number("DATABASE_PORT"));
}

std::optional<DatabaseServer> database_admin(const Paths& paths, const Settings& settings) {
    const auto url = parse_database_url(settings.text("DATABASE_ADMIN_URL"));
    return url ? std::optional(server_of(paths, *url, "")) : std::nullopt;
}

DatabaseServer database_pool(const Paths& paths) {
    return {.is_own = true,
            .hosts = {{paths.pool_sockets().string(), kPoolPort}},
            .database = "commento",
            .owner = "commento",
            .pool_role = {},
            .backup_role = {},
            .password = {},
            .tls_mode = "disable",
            .authorities = {},
            .session_attributes = "any"};
}

std::string to_string(const DatabaseServer& server) {
    std::vector<std::string> names;
    for (const auto& host : server.hosts)
        names.push_back(host.name.starts_with('/') ? fmt::format("{}/.s.PGSQL.{}", host.name, host.port)
                                                   : fmt::format("{} port {}", host.name, host.port));
    return fmt::format("{}", fmt::join(names, ", "));
}

ConnectionWords connection_words(const DatabaseServer& server, const std::string& role, const std::string& database) {
    std::vector<std::string> names;
    std::vector<int> ports;
    for (const auto& host : server.hosts) {
        names.push_back(host.name);
        ports.push_back(host.port);
    }
    ConnectionWords words{{"host", fmt::format("{}", fmt::join(names, ","))},
                          {"port", fmt::format("{}", fmt::join(ports, ","))},
                          {"user", role},
                          {"dbname", database},
                          {"target_session_attrs", server.session_attributes},
                          {"sslmode", server.tls_mode},
                          // A peer that is gone without a word is noticed in half a minute (seconds; milliseconds).
                          {"keepalives_idle", "10"},
                          {"keepalives_interval", "5"},
                          {"keepalives_count", "4"},
                          {"tcp_user_timeout", "30000"},
                          // Else libpq looks for one of the client's in the user's home, and fails where it may not.
                          {"sslcert", "/nonexistent"}};
    if (!server.authorities.empty())
        words.emplace_back("sslrootcert", server.authorities);
    return words;
}

ConnectionArrays::ConnectionArrays(ConnectionWords words) : words_(std::move(words)) {
    for (const auto& [keyword, value] : words_) {
        keywords_.push_back(keyword.c_str());
        values_.push_back(value.c_str());
    }
    keywords_.push_back(nullptr);
    values_.push_back(nullptr);
}

} // namespace commento
