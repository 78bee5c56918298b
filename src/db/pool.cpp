#include "db/pool.hpp"

#include "db/postgres.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace commento {
namespace {

constexpr int kUsual = 20;
constexpr int kFewest = 2;
constexpr int kShare = 4;
constexpr std::uint64_t kMemoryOfOne = 64ULL << 20U;

// More than nginx hands on to the application at once, which opens a connection for each (nginx/commento-stack.conf.in,
// max_conns): whoever is let in is let in here, too, and queues. What bounds them is nginx.
constexpr int kClients = 26000;

// Linux' own limit; a Go program fails at once where the queue of a Unix socket is full (connect(2), EAGAIN).
constexpr int kBacklog = 4096;

/// Which host it is, follow() says.
std::string way_elsewhere(const Paths& paths, const DatabaseServer& server) {
    return fmt::format(R"(
server_tls_sslmode = {}
{}{}
; A server that is gone without a word is noticed in half a minute (seconds; milliseconds).
tcp_keepidle = 10
tcp_keepintvl = 5
tcp_keepcnt = 4
tcp_user_timeout = 30000
server_connect_timeout = 5

%include {}
)",
                       server.tls_mode, server.authorities.empty() ? "" : "server_tls_ca_file = ", server.authorities,
                       paths.pool_primary().string());
}

/// The end of the configuration.
std::string destination(const Paths& paths, const DatabaseServer& server) {
    return server.is_own ? "\n" + pool_target(server, server.hosts.front()) : way_elsewhere(paths, server);
}

} // namespace

Result<int> pool_size(const Settings& settings, std::uint64_t memory, int connections) {
    if (settings.text("DATABASE_POOL").empty()) {
        const auto by_memory = static_cast<int>(std::min<std::uint64_t>(memory / kMemoryOfOne, kUsual));
        return std::max(kFewest, std::min({kUsual, by_memory, connections / kShare}));
    }
    const int wanted = settings.number("DATABASE_POOL");
    if (wanted <= connections)
        return wanted;
    return fail(ErrorCode::settings,
                fmt::format("{}: DATABASE_POOL is {}, but the PostgreSQL cluster takes no more than {} connections",
                            settings.value("DATABASE_POOL").origin, wanted, connections),
                "take a smaller number, or raise max_connections of the cluster and restart it");
}

std::string pool_target(const DatabaseServer& server, const DatabaseHost& host) {
    // pgbouncer(5) has values quoted as SQL has texts.
    std::string target = fmt::format("[databases]\ncommento = host={} port={} dbname={} user={}", literal(host.name),
                                     host.port, literal(server.database), literal(server.pool_role));
    if (!server.password.empty())
        target += " password=" + literal(server.password);
    return target + "\n";
}

std::string pool_config(const Paths& paths, const DatabaseServer& server, int size) {
    std::string config = fmt::format(
        R"(; Written by commento-db provision from {settings}; changes made here are lost.

[pgbouncer]
; The socket's folder lets only the application in (commento-db-pool.service), so no client has to prove who it is; nothing
; listens on TCP.
unix_socket_dir = {socket}
listen_port = {port}
auth_type = any

; A connection is lent for a transaction. Who finds none waits here, as long as nginx waits for an answer.
pool_mode = transaction
default_pool_size = {size}
max_client_conn = {clients}
listen_backlog = {backlog}
query_wait_timeout = 300

; PostgreSQL was restarted, or another server took over: try again at once, not after 15 s.
server_login_retry = 0.1

; The application's driver sends the first with each connection, and commento-db follow the second; neither changes
; anything for them.
ignore_startup_parameters = extra_float_digits, options

log_connections = 0
log_disconnections = 0
log_stats = 0
)",
        fmt::arg("settings", paths.settings().string()), fmt::arg("socket", paths.pool_sockets().string()),
        fmt::arg("port", kPoolPort), fmt::arg("size", size), fmt::arg("clients", kClients),
        fmt::arg("backlog", kBacklog));
    return config + destination(paths, server);
}

bool leads_there(std::string_view config, const Paths& paths, const DatabaseServer& server) {
    return config.ends_with(destination(paths, server));
}

} // namespace commento
