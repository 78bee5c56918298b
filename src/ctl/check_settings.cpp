// Settings: what stands in /etc/commento-stack.

#include "ctl/check.hpp"

#include <array>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>

namespace commento {
namespace {

Finding look_at_values(CheckedHost& host) {
    const auto& settings = host.facts().settings;
    if (!settings)
        return fault(settings.error().message, by_hand({"commentoctl", "setup"}));
    std::string lines;
    for (const auto& found : settings->faults)
        lines += (lines.empty() ? "" : "\n") + to_string(found);
    if (!lines.empty())
        return fault(lines, by_hand({"commentoctl", "setup"}));
    return ok(fmt::format("{} is valid", host.paths().settings().string()));
}

/// Of the two, only the secrets are not for everybody.
Finding look_at_modes(CheckedHost& host) {
    constexpr mode_t kWritable = S_IWGRP | S_IWOTH;
    constexpr mode_t kOpen = kWritable | S_IXGRP | S_IRWXO;
    const group* readers = ::getgrnam("commento");
    const std::string settings = host.paths().settings();
    const std::string secrets = host.paths().secrets();
    struct stat open {};
    struct stat closed {};
    Remedy remedy = safely_all({});
    std::string saw;
    if (::stat(settings.c_str(), &open) == 0 && (open.st_uid != 0 || (open.st_mode & kWritable) != 0)) {
        saw = fmt::format("{} can be written by others than root", settings);
        remedy.commands.push_back({"chown", "root:root", settings});
        remedy.commands.push_back({"chmod", "0644", settings});
    }
    if (::stat(secrets.c_str(), &closed) == 0 &&
        (closed.st_uid != 0 || (closed.st_mode & kOpen) != 0 ||
         (closed.st_gid != 0 && (readers == nullptr || closed.st_gid != readers->gr_gid)))) {
        saw += fmt::format("{}{} can be read by others than root and commento", saw.empty() ? "" : "; ", secrets);
        remedy.commands.push_back({"chown", "root:commento", secrets});
        remedy.commands.push_back({"chmod", "0640", secrets});
    }
    return saw.empty() ? ok("secrets are for root and commento only") : fault(saw, remedy);
}

std::int64_t changed_at(const std::filesystem::path& file) {
    struct stat state {};
    return ::stat(file.c_str(), &state) == 0 ? state.st_mtime : 0;
}

/// What runs has read them when the target was started.
Finding look_whether_applied(CheckedHost& host) {
    const auto& target = host.facts().target;
    if (!target || target->state.active != "active")
        return skipped("commento.target is not active");
    for (const auto& file : {host.paths().settings(), host.paths().secrets()}) {
        if (changed_at(file) > target->state.since)
            return warning(fmt::format("{} was changed after the start of what runs", file.string()),
                           safely({"commentoctl", "restart"}));
    }
    return ok("unchanged since the start of what runs");
}

constexpr std::array kChecks{
    Check{"settings.values", "The settings are valid", look_at_values},
    Check{"settings.modes", "Nobody else reads secrets or writes settings", look_at_modes},
    Check{"settings.applied", "What runs has the present settings", look_whether_applied},
};

} // namespace

std::span<const Check> settings_checks() { return kChecks; }

} // namespace commento
