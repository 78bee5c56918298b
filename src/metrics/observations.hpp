#pragma once
// What is measured. What can't be found out is not there, and hinders nothing else.

#include "base/paths.hpp"
#include "base/units.hpp"
#include "config/settings.hpp"
#include "net/certificate.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace commento {

/// A run of a unit that runs once.
struct LastRun {
    std::int64_t ended; ///< seconds since 1970
    bool well;
};

struct Backups {
    int count = 0;
    std::uintmax_t bytes = 0;      ///< of all of them
    std::uintmax_t last_bytes = 0; ///< of the newest
    std::int64_t last = 0;         ///< when the newest was made, seconds since 1970; 0: there is none
    std::int64_t verified = 0;     ///< when one was verified last; 0: never
};

struct Database {
    std::int64_t bytes;
    std::int64_t connections;
    std::int64_t most_connections; ///< that the server takes, from anybody
};

struct Observations {
    std::map<std::string, std::optional<Certificate>> certificates; ///< by name; none where it can't be read
    std::optional<Certificate> served;                              ///< by nginx, for DOMAIN
    std::map<std::string, LastRun> runs;                            ///< by unit; of those that ran since the boot
    std::map<std::string, bool> active;                             ///< by unit
    std::optional<Backups> backups;
    std::optional<double> answer_seconds; ///< GET /login; none where it was not answered by 200
    bool answers_with_database = false;
    std::string release; ///< empty where there is none
    bool database_is_elsewhere = false;
    std::optional<Database> database; ///< in the host's own cluster
};

Observations observe(const Paths& paths, const Settings& settings);

/// The text for node_exporter. `now` and `seconds`: when, and how long, this was observed.
std::string to_text(const Observations& seen, std::int64_t now, double seconds);

} // namespace commento
