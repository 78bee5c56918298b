#pragma once
// The host's PostgreSQL clusters as Debian manages them (postgresql-common): VERSION/NAME, each with its settings in
// /etc/postgresql/VERSION/NAME and its unit postgresql@VERSION-NAME. Failures are ErrorCode::database.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

struct HostCluster {
    int version = 0; ///< major version, such as 15
    std::string name;
    int port = 0;
    std::string status; ///< online or down, and after a comma what else pg_lsclusters(1) knows, such as recovery
    std::string owner;
    std::filesystem::path data;

    bool is_online() const;
    bool is_standby() const;
    std::string label() const; ///< 15/main
    bool operator==(const HostCluster&) const = default;
};

/// What pg_lsclusters(1) prints without its header: columns, since for JSON it needs a package that is only
/// recommended.
Result<std::vector<HostCluster>> parse_clusters(std::string_view text);

/// Fails where postgresql-common is not there: that is no Debian.
Result<std::vector<HostCluster>> host_clusters(const Paths& paths);

/// The cluster of that version and name; nullptr where there is none.
const HostCluster* find_cluster(const std::vector<HostCluster>& clusters, int version, const std::string& name);

/// Major versions whose server is installed, lowest first.
std::vector<int> installed_versions(const Paths& paths);

/// The newest version that this release of the distribution (or another source of packages that postgresql-common was
/// told of) has; 0 where that can't be found out.
int newest_supported_version(const Paths& paths);

enum class Autostart { yes, no };

/// Whether it starts at boot (start.conf; pg_createcluster(1), "STARTUP CONTROL"), and the port it listens on. Both
/// take effect with the next start; the file is whole at any moment.
Result<void> set_autostart(const Paths& paths, int version, const std::string& name, Autostart autostart);
Result<void> set_port(const Paths& paths, int version, const std::string& name, int port);

/// By its unit; returns when it is up, or down. Nothing to do is no failure.
Result<void> start_cluster(int version, const std::string& name);
Result<void> stop_cluster(int version, const std::string& name);

/// Stops it and removes it with its data and settings.
Result<void> drop_cluster(int version, const std::string& name);

/// Makes a cluster NEWER/NAME out of OLDER/NAME, on a port of its own; the older one then is down and does not start at
/// boot. Where it fails, the older one may be left so.
Result<void> copy_cluster(int older, const std::string& name, int newer);

} // namespace commento
