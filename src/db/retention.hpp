#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace commento {

/// How many backups are kept: the last of each of so many days, weeks and months that have one.
struct Retention {
    int daily;
    int weekly;
    int monthly;
};

/// A backup is called by the moment at which it was begun (UTC), so names are ordered as the backups are.
std::string backup_name(std::int64_t seconds);

/// Seconds since 1970 of a name; -1 where it is none.
std::int64_t time_of_backup(const std::string& name);

/// Those of `names`, oldest first, that need not be kept. The last one and those of the last 24 hours before `now`
/// stay.
std::vector<std::string> superfluous(const std::vector<std::string>& names, const Retention& keep, std::int64_t now);

} // namespace commento
