#include "db/host_clusters.hpp"

#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/host_facts.hpp"
#include "base/process.hpp"
#include "base/units.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sstream>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kPatience{10};
constexpr std::chrono::hours kCopyLimit{24}; // hundreds of GB from disk to disk

std::string label_of(int version, const std::string& name) { return fmt::format("{}/{}", version, name); }

std::string unit_of(int version, const std::string& name) {
    return fmt::format("postgresql@{}-{}.service", version, name);
}

int to_number(std::string_view digits) {
    int number = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return fault == std::errc() && end == digits.data() + digits.size() ? number : 0;
}

/// The end of what a program said, which is where its error stands.
std::string last_lines(const std::string& text) {
    constexpr std::size_t kMost = 2000;
    const auto end = text.find_last_not_of('\n');
    const std::string told = end == std::string::npos ? "" : text.substr(0, end + 1);
    return told.size() <= kMost ? told : told.substr(told.find('\n', told.size() - kMost) + 1);
}

Result<std::string> run_tool(const std::vector<std::string>& words, std::chrono::seconds limit = kPatience) {
    constexpr std::size_t kKept = 16U << 20U; // the error stands at the end
    COMMENTO_ASSIGN(Outcome outcome, run_program(words, limit, {}, Stderr::with_output, kKept));
    if (outcome.status != 0)
        return fail(ErrorCode::database, fmt::format("{} ended with status {}: {}", fmt::join(words, " "),
                                                     outcome.status, last_lines(outcome.output)));
    return std::move(outcome.output);
}

Result<void> run_job(const char* method, const char* verb, int version, const std::string& name) {
    const std::string unit = unit_of(version, name);
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_CHECK(units.reset_failed(unit));
    COMMENTO_ASSIGN(const std::string result, units.run_job(method, unit, kPatience));
    COMMENTO_ASSIGN(const UnitState state, units.state(unit));
    // Debian's unit may take a server that did not start for a success, since it may only need longer.
    const bool is_up = state.active == "active" || state.active == "activating";
    if (result == "done" && is_up == (std::string_view(verb) == "start"))
        return {};
    return fail(ErrorCode::database, fmt::format("cluster {} does not {}: {}", label_of(version, name), verb, result),
                fmt::format("journalctl -u {}; its log is in {}", unit, host_facts({}).postgres_log.string()));
}

} // namespace

bool HostCluster::is_online() const { return status == "online" || status.starts_with("online,"); }

bool HostCluster::is_standby() const { return status.find(",recovery") != std::string::npos; }

std::string HostCluster::label() const { return label_of(version, name); }

Result<std::vector<HostCluster>> parse_clusters(std::string_view text) {
    std::vector<HostCluster> clusters;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string version;
        std::string port;
        std::string data;
        HostCluster cluster;
        if (!(words >> version))
            continue;
        words >> cluster.name >> port >> cluster.status >> cluster.owner >> data;
        cluster.version = to_number(version.substr(0, version.find('.'))); // before version 10 there were two numbers
        cluster.port = to_number(port);
        cluster.data = data;
        if (!words || cluster.version == 0)
            return fail(ErrorCode::database, fmt::format("pg_lsclusters says what can't be understood: {}", line));
        clusters.push_back(std::move(cluster));
    }
    return clusters;
}

Result<std::vector<HostCluster>> host_clusters(const Paths& paths) {
    if (!fs::exists(paths.root / "usr/bin/pg_lsclusters"))
        return fail(ErrorCode::database, "this host's PostgreSQL is not managed by Debian's postgresql-common",
                    "use the distribution's own way, or pg_upgrade by hand "
                    "(https://www.postgresql.org/docs/current/upgrading.html); before: commentoctl backup now");
    COMMENTO_ASSIGN(const std::string text, run_tool({"pg_lsclusters", "--no-header"}));
    return parse_clusters(text);
}

const HostCluster* find_cluster(const std::vector<HostCluster>& clusters, int version, const std::string& name) {
    const auto found = std::ranges::find_if(
        clusters, [&](const HostCluster& cluster) { return cluster.version == version && cluster.name == name; });
    return found == clusters.end() ? nullptr : &*found;
}

std::vector<int> installed_versions(const Paths& paths) {
    std::vector<int> versions;
    std::error_code fault;
    for (const auto& entry : fs::directory_iterator(host_facts(paths).servers, fault)) {
        const int version = to_number(entry.path().filename().string());
        if (version != 0 && fs::exists(entry.path() / "bin/postgres", fault))
            versions.push_back(version);
    }
    std::ranges::sort(versions);
    return versions;
}

int newest_supported_version(const Paths& paths) {
    const fs::path program = paths.root / "usr/share/postgresql-common/supported-versions";
    const auto told = run_tool({program.string()});
    int newest = 0;
    std::istringstream words(told.value_or(""));
    for (std::string word; words >> word;)
        newest = std::max(newest, to_number(word));
    return newest;
}

Result<void> set_autostart(const Paths& paths, int version, const std::string& name, Autostart autostart) {
    constexpr mode_t kMode = 0644;
    const fs::path file = paths.root / fmt::format("etc/postgresql/{}/{}/start.conf", version, name);
    const std::string text = fmt::format("# Set by commentoctl db upgrade; see pg_createcluster(1), \"STARTUP "
                                         "CONTROL\".\n{}\n",
                                         autostart == Autostart::yes ? "auto" : "manual");
    COMMENTO_CHECK(update_file(file, text, kMode));
    // What starts at boot is what a generator made of these files.
    return run_tool({"systemctl", "daemon-reload"}).map([](const std::string& /*nothing*/) {});
}

Result<void> set_port(const Paths& paths, int version, const std::string& name, int port) {
    COMMENTO_CHECK(run_tool(
        {"pg_conftool", std::to_string(version), name, "postgresql.conf", "set", "port", std::to_string(port)}));
    // Debian's tools do not make durable what they write; pg_upgrade does with its data.
    const fs::path folder = paths.root / "etc/postgresql";
    const Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened || ::syncfs(opened.get()) != 0)
        return fail_errno(ErrorCode::storage, fmt::format("cannot write {} to disk", folder.string()), errno);
    return {};
}

Result<void> start_cluster(int version, const std::string& name) {
    return run_job("StartUnit", "start", version, name);
}

Result<void> stop_cluster(int version, const std::string& name) { return run_job("StopUnit", "stop", version, name); }

Result<void> drop_cluster(int version, const std::string& name) {
    // What is to be removed need not end in order: where the disk is full, it can't, and would be waited for for
    // minutes (seen in a test). A server that is down is no failure (status 2).
    COMMENTO_CHECK(run_program(
        {"pg_ctlcluster", "--skip-systemctl-redirect", "--mode=immediate", std::to_string(version), name, "stop"},
        kPatience));
    COMMENTO_CHECK(stop_cluster(version, name)); // so that its unit knows
    return run_tool({"pg_dropcluster", "--stop", std::to_string(version), name})
        .map([](const std::string& /*nothing*/) {});
}

Result<void> copy_cluster(int older, const std::string& name, int newer) {
    // By pg_upgrade, which copies the files of the tables as they are and ends at the first fault. The other method,
    // dump, takes longer, and does not look at how pg_restore ended (seen in its source): of another database of the
    // host, rows could be missing without a word. Not by links: the older cluster must stay fit to be started. On a
    // port of its own: nobody gets to the newer one before it is checked.
    COMMENTO_ASSIGN(const std::string told, run_tool({"pg_upgradecluster", "--method=upgrade", "--keep-port", "-v",
                                                      std::to_string(newer), std::to_string(older), name},
                                                     kCopyLimit));
    spdlog::debug("{}", told);
    return {};
}

} // namespace commento
