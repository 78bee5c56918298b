#include "db/follow.hpp"

#include "base/files.hpp"
#include "base/pace.hpp"
#include "config/database_server.hpp"
#include "db/pool.hpp"
#include "db/postgres.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <tuple>

namespace commento {
namespace {

// A standby that is being promoted tells nobody who waits for it.
constexpr std::chrono::milliseconds kFirst{50};
constexpr std::chrono::milliseconds kLongest{1000};
constexpr std::chrono::hours kLimit{24};

class Follower {
  public:
    Follower(const Paths& paths, const Settings& settings) : paths_(paths), server_(database_server(paths, settings)) {}

    Result<void> run() {
        auto primary = connect();
        COMMENTO_CHECK(write_first(primary));
        std::ignore = ::sd_notify(0, "READY=1");
        while (true) {
            if (primary) {
                primary->wait_until_lost();
                spdlog::warn("lost the connection to the database");
            }
            primary = find();
            if (!primary)
                return tl::unexpected(std::move(primary).error());
            COMMENTO_CHECK(lead_pool_to(primary->host()));
        }
    }

  private:
    Result<Postgres> connect() const {
        COMMENTO_ASSIGN(Postgres connection, Postgres::connect(server_, server_.pool_role, server_.database));
        constexpr int kFirstThatEndsIdleSessions = 14;
        if (connection.major_version() >= kFirstThatEndsIdleSessions) {
            COMMENTO_CHECK(connection.query("SET idle_session_timeout TO 0"));
        }
        return connection;
    }

    /// Tries until there is one.
    Result<Postgres> find() const {
        Pace pace(kFirst, kLongest, kLimit);
        std::string last;
        while (true) {
            auto found = connect();
            if (found)
                return found;
            if (found.error().message != last)
                spdlog::warn("{}; {}", found.error().message, found.error().hint);
            last = found.error().message;
            if (!pace.wait())
                return found;
        }
    }

    Result<bool> write(const DatabaseHost& host) const {
        return update_file(paths_.pool_primary(), pool_target(server_, host), S_IRUSR | S_IWUSR);
    }

    /// The pool starts after this unit and takes what it finds. Where it runs already, because only this unit was
    /// started anew, it is told; where it does not, there is nobody to tell.
    Result<void> write_first(const Result<Postgres>& primary) const {
        if (primary || !leads_to_one_of_ours()) {
            COMMENTO_CHECK(write(primary ? primary->host() : server_.hosts.front()));
        }
        std::ignore = reload_pool();
        return {};
    }

    /// What a former run wrote may be of other settings.
    bool leads_to_one_of_ours() const {
        const auto target = read_file(paths_.pool_primary());
        return target && std::ranges::any_of(server_.hosts, [&](const DatabaseHost& host) {
                   return *target == pool_target(server_, host);
               });
    }

    Result<void> lead_pool_to(const DatabaseHost& host) const {
        COMMENTO_ASSIGN(const bool wrote, write(host));
        if (!wrote)
            return {};
        spdlog::info("leads the pool to {} port {}", host.name, host.port);
        return reload_pool();
    }

    Result<void> reload_pool() const {
        // PgBouncer's console lets in whoever runs as its own user.
        COMMENTO_ASSIGN(Postgres console, Postgres::connect(database_pool(paths_), "pgbouncer", "pgbouncer"));
        return console.script("RELOAD");
    }

    const Paths& paths_;
    DatabaseServer server_;
};

} // namespace

Result<void> follow(const Paths& paths, const Settings& settings) { return Follower(paths, settings).run(); }

} // namespace commento
