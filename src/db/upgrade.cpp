#include "db/upgrade.hpp"

#include "base/acting_as.hpp"
#include "base/files.hpp"
#include "base/host_facts.hpp"
#include "base/units.hpp"
#include "db/shelf.hpp"
#include "db/tables.hpp"
#include "db/upgrade_plan.hpp"
#include "db/wait.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBackupUnit = "commento-db-upgrade-backup.service";
constexpr std::chrono::hours kBackupLimit{24};
constexpr std::chrono::minutes kServerLimit{2};

std::string older_of(const UpgradeState& state) { return fmt::format("{}/{}", state.older, state.name); }
std::string newer_of(const UpgradeState& state) { return fmt::format("{}/{}", state.newer, state.name); }

/// By a unit of its own, as the one user whom PostgreSQL lets read the comments for that. The value is its name.
Result<std::string> back_up(const Paths& paths) {
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_CHECK(units.reset_failed(kBackupUnit));
    COMMENTO_ASSIGN(const std::string result, units.run_job("StartUnit", kBackupUnit, kBackupLimit));
    if (result != "done")
        return fail(ErrorCode::database, "the backup before the upgrade failed, so nothing was changed",
                    fmt::format("journalctl -u {}", kBackupUnit));
    return find_backup(paths, "latest");
}

/// Makes the cluster of one version the one that counts: on the port, and started at boot; and the other one the one
/// that does not. May be done again from any point on which it was cut off.
Result<void> make_it_count(const Paths& paths, const UpgradeState& state, int version) {
    const int other = version == state.newer ? state.older : state.newer;
    COMMENTO_CHECK(stop_cluster(other, state.name));
    COMMENTO_CHECK(stop_cluster(version, state.name));
    COMMENTO_CHECK(set_autostart(paths, other, state.name, Autostart::no));
    COMMENTO_CHECK(set_port(paths, other, state.name, state.other_port));
    COMMENTO_CHECK(set_port(paths, version, state.name, state.port));
    COMMENTO_CHECK(set_autostart(paths, version, state.name, Autostart::yes));
    COMMENTO_CHECK(start_cluster(version, state.name));
    return wait_for_server(paths, own_cluster(paths, state.port), kServerLimit);
}

/// What a killed pg_createcluster leaves is not always a cluster that pg_dropcluster knows, nor are settings with a
/// fault in them, at which pg_lsclusters fails for the whole host.
Result<void> clear_copy(const Paths& paths, const UpgradeState& state) {
    const fs::path settings = paths.root / "etc/postgresql" / newer_of(state);
    std::error_code fault;
    if (fs::exists(settings, fault)) {
        if (const auto dropped = drop_cluster(state.newer, state.name); !dropped)
            spdlog::warn("{}; its folders are removed", dropped.error().message);
    }
    COMMENTO_CHECK(remove_folder(settings));
    return remove_folder(host_facts(paths).clusters / newer_of(state));
}

/// The older cluster is as it was before, and of the copy nothing is left.
Result<void> take_back_copy(const Paths& paths, const UpgradeState& state) {
    COMMENTO_CHECK(clear_copy(paths, state));
    COMMENTO_CHECK(set_autostart(paths, state.older, state.name, Autostart::yes));
    COMMENTO_CHECK(set_port(paths, state.older, state.name, state.port));
    COMMENTO_CHECK(start_cluster(state.older, state.name));
    COMMENTO_CHECK(wait_for_server(paths, own_cluster(paths, state.port), kServerLimit));
    return forget_upgrade(paths);
}

Result<void> return_to_older(const Paths& paths, UpgradeState state) {
    state.phase = UpgradePhase::returning;
    COMMENTO_CHECK(record_upgrade(paths, state));
    COMMENTO_CHECK(make_it_count(paths, state, state.older));
    return forget_upgrade(paths);
}

/// From here on the newer cluster counts, and the older one is kept.
Result<void> go_to_newer(const Paths& paths, UpgradeState state) {
    state.phase = UpgradePhase::switching;
    COMMENTO_CHECK(record_upgrade(paths, state));
    COMMENTO_CHECK(make_it_count(paths, state, state.newer));
    state.phase = UpgradePhase::kept;
    return record_upgrade(paths, state);
}

/// `error`, with what became of it: which cluster `way_back` has brought up again.
tl::unexpected<Error> after(Error error, const Result<void>& way_back, const std::string& cluster) {
    error.code = ErrorCode::database;
    if (way_back) {
        error.message += fmt::format("\nit was taken back: cluster {} is up as before", cluster);
        return tl::unexpected(std::move(error));
    }
    error.message += fmt::format("\nand it could not be taken back: {}", way_back.error().message);
    error.hint =
        fmt::format("the comments are in cluster {} and in the last backup; when it can start: systemctl start "
                    "commento.target. {}",
                    cluster, way_back.error().hint);
    return tl::unexpected(std::move(error));
}

/// Compares what the cluster on that port holds with the backup and with what the host's cluster held.
Result<void> compare(const Paths& paths, const UpgradeState& state, const HostCluster& cluster, const Census& before) {
    COMMENTO_ASSIGN(const Census census, take_census(paths, cluster, cluster.port));
    if (const std::string found = differences(before, census); !found.empty())
        return fail(ErrorCode::database,
                    fmt::format("not everything in cluster {} is what it was: {}", newer_of(state), found));
    COMMENTO_ASSIGN(const Manifest manifest, manifest_of(paths, state.backup));
    const auto connect = [&]() -> Result<Postgres> {
        const DatabaseServer server = own_cluster(paths, cluster.port);
        COMMENTO_ASSIGN(const ActingAs user, ActingAs::user(server.backup_role));
        return Postgres::connect(server, server.backup_role, server.database);
    };
    COMMENTO_ASSIGN(Postgres database, connect());
    COMMENTO_ASSIGN(const auto tables, facts_of_tables(database));
    if (const std::string found = differences(manifest.tables, tables); !found.empty())
        return fail(
            ErrorCode::database,
            fmt::format("the comments in {} are not those of backup {}:\n{}", newer_of(state), state.backup, found),
            "did somebody write to the database meanwhile? try again");
    for (const auto& name : census.stale)
        spdlog::warn("database {} has indexes from before the host's C library was upgraded, which may sort text in "
                     "another way: REINDEX DATABASE \"{}\"; ALTER DATABASE \"{}\" REFRESH COLLATION VERSION",
                     name, name, name);
    return {};
}

/// The value is the port that the copy has.
Result<int> copy_and_compare(const Paths& paths, const UpgradeState& state, const Census& before) {
    COMMENTO_CHECK(clear_copy(paths, state)); // Debian's empty cluster, if anything
    spdlog::info("copying cluster {} to {}", older_of(state), newer_of(state));
    COMMENTO_CHECK(copy_cluster(state.older, state.name, state.newer));
    COMMENTO_ASSIGN(const auto clusters, host_clusters(paths));
    const HostCluster* copy = find_cluster(clusters, state.newer, state.name);
    if (copy == nullptr)
        return fail(ErrorCode::database, fmt::format("pg_upgradecluster made no cluster {}", newer_of(state)));
    COMMENTO_CHECK(wait_for_server(paths, own_cluster(paths, copy->port), kServerLimit));
    COMMENTO_CHECK(compare(paths, state, *copy, before));
    return copy->port;
}

/// Where the newer cluster does not come up, the older one does again, and the newer one is kept.
Result<void> switch_over(const Paths& paths, const UpgradeState& state) {
    if (auto switched = go_to_newer(paths, state); !switched)
        return after(std::move(switched).error(), return_to_older(paths, state), older_of(state));
    spdlog::info("PostgreSQL {} serves the databases now. Cluster {} is kept as it was, and stopped. To go back to it: "
                 "commentoctl db upgrade --undo; when it is no longer missed: pg_dropcluster {} {}",
                 state.newer, older_of(state), state.older, state.name);
    return {};
}

/// Where the older cluster does not come up, the newer one does again.
Result<void> switch_back(const Paths& paths, const UpgradeState& state) {
    auto returned = return_to_older(paths, state);
    if (!returned)
        return after(std::move(returned).error(), go_to_newer(paths, state), newer_of(state));
    return returned;
}

} // namespace

Result<void> upgrade(const Paths& paths, const Settings& settings) {
    COMMENTO_CHECK(recover_upgrade(paths));
    COMMENTO_ASSIGN(const UpgradePlan first, plan_upgrade(paths, settings));
    if (first.choice.target == 0) {
        spdlog::info("cluster {} has the newest version of PostgreSQL; nothing to do", first.choice.current.label());
        return {};
    }
    COMMENTO_ASSIGN(const std::string backup, back_up(paths));
    COMMENTO_ASSIGN(const Fd lock, lock_backups(paths)); // no backup begins in the middle
    // Again: the backup, and one that it waited for, may have taken hours.
    COMMENTO_ASSIGN(const UpgradePlan plan, plan_upgrade(paths, settings));
    const HostCluster& current = plan.choice.current;
    const UpgradeState begun{.phase = UpgradePhase::copying,
                             .older = current.version,
                             .newer = plan.choice.target,
                             .name = current.name,
                             .port = current.port,
                             .other_port = 0,
                             .backup = backup};
    COMMENTO_CHECK(record_upgrade(paths, begun));
    auto port = copy_and_compare(paths, begun, plan.census);
    if (!port)
        return after(std::move(port).error(), take_back_copy(paths, begun), older_of(begun));
    UpgradeState copied = begun;
    copied.other_port = *port;
    return switch_over(paths, copied);
}

Result<void> undo_upgrade(const Paths& paths, const Settings& settings) {
    COMMENTO_CHECK(recover_upgrade(paths));
    COMMENTO_ASSIGN(const UpgradeState state, plan_undo(paths, settings));
    COMMENTO_ASSIGN(const std::string backup, back_up(paths));
    COMMENTO_ASSIGN(const Fd lock, lock_backups(paths));
    COMMENTO_CHECK(switch_back(paths, state));
    spdlog::info(
        "PostgreSQL {} serves the databases again. What came since the upgrade is in cluster {}, stopped, and the "
        "comments among it in backup {} as well",
        state.older, newer_of(state), backup);
    return {};
}

Result<void> recover_upgrade(const Paths& paths) {
    COMMENTO_ASSIGN(const auto state, upgrade_state(paths));
    if (!state || state->phase == UpgradePhase::kept)
        return {};
    spdlog::warn("the last run was cut off while it {} cluster {}",
                 state->phase == UpgradePhase::returning ? "went back to" : "upgraded", older_of(*state));
    if (state->phase == UpgradePhase::switching)
        return switch_over(paths, *state);
    COMMENTO_CHECK(state->phase == UpgradePhase::copying ? take_back_copy(paths, *state) : switch_back(paths, *state));
    spdlog::info("cluster {} is up, as before", older_of(*state));
    return {};
}

} // namespace commento
