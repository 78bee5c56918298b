#include "db/wait.hpp"

#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/host_facts.hpp"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <poll.h>
#include <set>
#include <sys/inotify.h>

namespace commento {
namespace {

using Clock = std::chrono::steady_clock;

class Watch {
  public:
    Watch() : events_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {}

    /// True when the folder was not watched before: what happened in it until now was missed.
    bool add(const std::filesystem::path& folder) {
        const int number = ::inotify_add_watch(events_.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_MODIFY);
        return number >= 0 && watched_.insert(number).second;
    }

    /// False when nothing happened until `deadline`.
    bool wait(Clock::time_point deadline) {
        while (true) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
            if (left.count() <= 0)
                return false;
            pollfd events{events_.get(), POLLIN, 0};
            const int ready = ::poll(&events, 1, static_cast<int>(left.count()));
            if (ready > 0)
                return drop_events();
            if (ready < 0 && errno != EINTR)
                return false;
        }
    }

  private:
    /// That something happened is all that counts; what is true now is asked of the server itself.
    bool drop_events() {
        std::array<char, 4096> buffer{};
        while (::read(events_.get(), buffer.data(), buffer.size()) > 0) {
        }
        return true;
    }

    Fd events_;
    std::set<int> watched_;
};

std::filesystem::path folder_of(const DatabaseServer& cluster) { return cluster.hosts.front().name; }

std::filesystem::path socket_of(const DatabaseServer& cluster) {
    return folder_of(cluster) / fmt::format(".s.PGSQL.{}", cluster.hosts.front().port);
}

/// Watches the data folder of the server that holds the socket; false when there is none, or it is watched already.
bool watch_server(Watch& watch, const DatabaseServer& cluster) {
    const auto lock = read_file(socket_of(cluster).string() + ".lock");
    const auto folder = lock ? data_folder(*lock) : std::nullopt;
    return folder && watch.add(*folder);
}

tl::unexpected<Error> no_answer(const Paths& paths, const DatabaseServer& cluster) {
    return fail(ErrorCode::database, fmt::format("PostgreSQL does not answer on {}", socket_of(cluster).string()),
                fmt::format("is a cluster on port {} running? See {}; for a cluster on another port set DATABASE_PORT",
                            cluster.hosts.front().port, host_facts(paths).show_clusters));
}

} // namespace

Result<void> wait_for_server(const Paths& paths, const DatabaseServer& cluster, std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    Watch watch;
    if (!watch.add(folder_of(cluster)))
        return no_answer(paths, cluster);
    while (!Postgres::accepts_connections(cluster)) {
        if (watch_server(watch, cluster))
            continue;
        if (!watch.wait(deadline))
            return no_answer(paths, cluster);
    }
    return {};
}

std::optional<std::filesystem::path> data_folder(std::string_view socket_lock) {
    const auto first = socket_lock.find('\n');
    if (first == std::string_view::npos)
        return std::nullopt;
    const auto line = socket_lock.substr(first + 1, socket_lock.find('\n', first + 1) - first - 1);
    if (!line.starts_with('/'))
        return std::nullopt;
    return std::filesystem::path(line);
}

} // namespace commento
