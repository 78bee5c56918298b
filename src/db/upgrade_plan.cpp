#include "db/upgrade_plan.hpp"

#include "base/host_facts.hpp"
#include "db/databases.hpp"
#include "db/parts.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iostream>
#include <nlohmann/json.hpp>

namespace commento {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMiB = 1U << 20U;
// What a new cluster takes before anything is in it: system tables and journal (measured: 39 and 16 MiB), and some.
constexpr std::uint64_t kEmptyCluster = 128 * kMiB;

Result<HostCluster> cluster_on(const std::vector<HostCluster>& clusters, int port) {
    const HostCluster* found = nullptr;
    for (const auto& cluster : clusters) {
        // Two may have one port; the one that is up has it.
        if (cluster.port == port && (found == nullptr || cluster.is_online()))
            found = &cluster;
    }
    if (found == nullptr)
        return fail(ErrorCode::database, fmt::format("none of this host's clusters has port {}", port),
                    "pg_lsclusters lists them; set DATABASE_PORT to the port of the right one");
    if (!found->is_online())
        return fail(ErrorCode::database, fmt::format("cluster {} is {}", found->label(), found->status),
                    fmt::format("systemctl start postgresql@{}-{}", found->version, found->name));
    if (found->is_standby())
        return fail(ErrorCode::database, fmt::format("cluster {} is a standby", found->label()),
                    "upgrade the server that it follows, then make the standby anew");
    return *found;
}

/// The folder that a version's clusters go into (pg_createcluster's default).
fs::path place_of(const Paths& paths, int version) { return host_facts(paths).clusters / std::to_string(version); }

Result<void> require_room(const Paths& paths, int version, std::uint64_t bytes) {
    const std::uint64_t needed = bytes + kEmptyCluster;
    std::error_code fault;
    fs::path place = place_of(paths, version);
    if (!fs::exists(place, fault))
        place = place.parent_path();
    const fs::space_info space = fs::space(place, fault);
    if (fault || space.available >= needed)
        return {}; // what can't be found out is for the copy to find
    return fail(ErrorCode::database,
                fmt::format("there is no room for a copy of the cluster: {} MiB are free in {}, {} MiB are needed",
                            space.available / kMiB, place.string(), needed / kMiB),
                "make room there, or mount a larger disk");
}

Result<void> require_free_name(const Paths& paths, const UpgradeChoice& choice) {
    const std::string label = fmt::format("{}/{}", choice.target, choice.current.name);
    const std::string hint = fmt::format("commento-db replaces only a cluster that nobody used. Where nothing in it is "
                                         "missed: pg_dropcluster --stop {} {}",
                                         choice.target, choice.current.name);
    const fs::path data = place_of(paths, choice.target) / choice.current.name;
    std::error_code fault;
    if (!choice.taken && fs::exists(data, fault))
        return fail(ErrorCode::database, fmt::format("{} is there, but belongs to no cluster", data.string()),
                    "move it away");
    if (!choice.taken)
        return {};
    if (!choice.taken->is_online())
        return fail(ErrorCode::database,
                    fmt::format("there is a cluster {} already, and it is {}: what is in it can't be seen", label,
                                choice.taken->status),
                    hint);
    COMMENTO_ASSIGN(const Census census, take_census(paths, *choice.taken, choice.taken->port));
    if (census.is_empty())
        return {};
    return fail(ErrorCode::database,
                fmt::format("there is a cluster {} already, and it is not empty: {}", label,
                            census.databases.empty() ? "it has roles or tables of its own"
                                                     : fmt::format("database {}", fmt::join(census.databases, ", "))),
                hint);
}

/// Those that are not the comment server's.
std::vector<std::string> others(std::vector<std::string> databases, const DatabaseServer& server) {
    std::erase_if(databases, [&](const std::string& name) {
        return name == server.database || name == scratch_of(server) || name == restored_of(server) ||
               name == replaced_of(server);
    });
    return databases;
}

Result<void> print(const Json& json) {
    std::cout << json.dump(2) << '\n';
    return {};
}

/// The tools that copy a cluster start its server once more, and the way back does; a running one may have lost its
/// package (apt autoremove, after an upgrade of the host).
Result<void> require_server(const std::vector<int>& installed, int version) {
    if (std::ranges::find(installed, version) != installed.end())
        return {};
    return fail(ErrorCode::database, fmt::format("PostgreSQL {} is no longer installed", version),
                fmt::format("apt-get install postgresql-{}", version));
}

Result<void> require_own_cluster(const Paths& paths, const Settings& settings) {
    const DatabaseServer server = database_server(paths, settings);
    if (server.is_own)
        return {};
    return fail(
        ErrorCode::database,
        fmt::format("the comments are on another server ({}), not in a cluster of this host", to_string(server)),
        "upgrade it there; this host then needs postgresql-client of the new version for its backups");
}

} // namespace

Result<UpgradeChoice> choose_upgrade(const std::vector<HostCluster>& clusters, const std::vector<int>& installed,
                                     int supported, int port) {
    UpgradeChoice choice;
    COMMENTO_ASSIGN(choice.current, cluster_on(clusters, port));
    const int newest = installed.empty() ? 0 : installed.back();
    if (newest > choice.current.version) {
        COMMENTO_CHECK(require_server(installed, choice.current.version));
        choice.target = newest;
        if (const HostCluster* taken = find_cluster(clusters, newest, choice.current.name))
            choice.taken = *taken;
        return choice;
    }
    if (supported > choice.current.version)
        return fail(ErrorCode::database,
                    fmt::format("cluster {} can't be upgraded: no newer version of PostgreSQL is installed",
                                choice.current.label()),
                    fmt::format("apt-get install postgresql-{}", supported));
    return choice;
}

Result<UpgradePlan> plan_upgrade(const Paths& paths, const Settings& settings) {
    COMMENTO_CHECK(require_own_cluster(paths, settings));
    COMMENTO_ASSIGN(const auto clusters, host_clusters(paths));
    UpgradePlan plan;
    COMMENTO_ASSIGN(plan.choice, choose_upgrade(clusters, installed_versions(paths), newest_supported_version(paths),
                                                settings.number("DATABASE_PORT")));
    if (plan.choice.target == 0)
        return plan;
    COMMENTO_CHECK(require_free_name(paths, plan.choice));
    COMMENTO_ASSIGN(plan.census, take_census(paths, plan.choice.current, plan.choice.current.port));
    COMMENTO_CHECK(require_room(paths, plan.choice.target, plan.census.bytes));
    return plan;
}

Result<UpgradeState> plan_undo(const Paths& paths, const Settings& settings) {
    COMMENTO_CHECK(require_own_cluster(paths, settings));
    COMMENTO_ASSIGN(auto state, upgrade_state(paths));
    if (!state)
        return fail(ErrorCode::database, "there is no upgrade of PostgreSQL to undo");
    COMMENTO_ASSIGN(const auto clusters, host_clusters(paths));
    COMMENTO_ASSIGN(const HostCluster current, cluster_on(clusters, settings.number("DATABASE_PORT")));
    if (current.version != state->newer || current.name != state->name)
        return fail(ErrorCode::database,
                    fmt::format("the last upgrade was to {}/{}, but cluster {} has the port now", state->newer,
                                state->name, current.label()),
                    "pg_lsclusters");
    const HostCluster* older = find_cluster(clusters, state->older, state->name);
    if (older == nullptr)
        return fail(ErrorCode::database,
                    fmt::format("cluster {}/{} is no longer there to go back to", state->older, state->name),
                    "the backup made before the upgrade can be put back: commentoctl backup list");
    COMMENTO_CHECK(require_server(installed_versions(paths), state->older));
    state->port = current.port;
    state->other_port = older->port;
    return *state;
}

Result<void> print_upgrade_plan(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(const UpgradePlan plan, plan_upgrade(paths, settings));
    const HostCluster& current = plan.choice.current;
    Json json{{"current", current.label()}, {"target", nullptr}};
    if (plan.choice.target != 0)
        json["target"] = fmt::format("{}/{}", plan.choice.target, current.name);
    json["databases"] = others(plan.census.databases, database_server(paths, settings));
    json["bytes"] = plan.census.bytes;
    return print(json);
}

Result<void> print_undo_plan(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(const UpgradeState state, plan_undo(paths, settings));
    COMMENTO_ASSIGN(const auto clusters, host_clusters(paths));
    COMMENTO_ASSIGN(const HostCluster current, cluster_on(clusters, state.port));
    COMMENTO_ASSIGN(const Census census, take_census(paths, current, current.port));
    return print({{"current", current.label()},
                  {"target", fmt::format("{}/{}", state.older, state.name)},
                  {"databases", others(census.databases, database_server(paths, settings))}});
}

} // namespace commento
