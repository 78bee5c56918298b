// Settings: what stands in /etc/commento-stack.

#include "base/translate.hpp"
#include "config/keys.hpp"
#include "ctl/check.hpp"
#include "ctl/domain_plan.hpp"
#include "ctl/settings_files.hpp"
#include "ctl/setup.hpp"

#include <array>
#include <fmt/format.h>
#include <grp.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace commento {
namespace {

/// Values that can't be right go back to their defaults, and what has none is asked for. Where that is not enough, as
/// for a line that is no assignment, an editor is.
Remedy mend_values(const Paths& paths, const std::vector<Fault>& faults) {
    const auto present = read_files_or_templates(paths);
    std::vector<std::string> command{"commentoctl", "setup"};
    std::vector<Wish> wishes;
    std::set<std::string> mended;
    bool asks = false;
    for (const auto& fault : faults) {
        const Key* key = find_key(fault.key);
        if (key == nullptr || !mended.insert(fault.key).second)
            continue;
        if (key->presence == Presence::mandatory) {
            asks = true;
            wishes.push_back({"", fault.key, fault.key == "EMAIL" ? "owner@example.org" : "comments.example.org"});
        } else {
            wishes.push_back({"--set", fault.key, ""});
            command.insert(command.end(), {"--set", fault.key + "="});
        }
    }
    const bool is_either = asks == (command.size() == 2); // what is asked for and flags exclude each other
    if (is_either && present && plan_setup(*present, wishes, paths))
        return by_hand(command);
    return advise(tr("mend these lines with an editor; then: sudo commentoctl doctor settings"));
}

Finding look_at_values(CheckedHost& host) {
    const auto& settings = host.facts().settings;
    if (!settings)
        return fault(settings.error().message, by_hand({"commentoctl", "setup"}));
    std::string lines;
    for (const auto& found : settings->faults)
        lines += (lines.empty() ? "" : "\n") + to_string(found);
    if (!lines.empty())
        return fault(lines, mend_values(host.paths(), settings->faults));
    return ok(tr("{} is valid", host.paths().settings().string()));
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
        saw = tr("{} can be written by others than root", settings);
        remedy.commands.push_back({"chown", "root:root", settings});
        remedy.commands.push_back({"chmod", "0644", settings});
    }
    if (::stat(secrets.c_str(), &closed) == 0 &&
        (closed.st_uid != 0 || (closed.st_mode & kOpen) != 0 ||
         (closed.st_gid != 0 && (readers == nullptr || closed.st_gid != readers->gr_gid)))) {
        saw += (saw.empty() ? "" : "; ") + tr("{} can be read by others than root and commento", secrets);
        remedy.commands.push_back({"chown", "root:commento", secrets});
        remedy.commands.push_back({"chmod", "0640", secrets});
    }
    return saw.empty() ? ok(tr("secrets are for root and commento only")) : fault(saw, remedy);
}

std::int64_t changed_at(const std::filesystem::path& file) {
    struct stat state {};
    return ::stat(file.c_str(), &state) == 0 ? state.st_mtime : 0;
}

/// commento-app-install runs whenever all parts take new settings: at a start and at `commentoctl restart`.
Finding look_whether_applied(CheckedHost& host) {
    const auto& target = host.facts().target;
    const auto& install = host.facts().install;
    if (!target || !install || target->state.active != "active")
        return skipped(tr("commento.target is not active"));
    for (const auto& file : {host.paths().settings(), host.paths().secrets()}) {
        if (changed_at(file) > install->state.since)
            return warning(tr("{} was changed after what runs had read it", file.string()),
                           safely({"commentoctl", "restart"}));
    }
    return ok(tr("unchanged since what runs has read them"));
}

Finding look_for_unfinished_change(CheckedHost& host) {
    const auto record = read_domain_record(host.paths());
    if (!record)
        return fault(record.error().message, advise(record.error().hint));
    if (!record->change)
        return ok(tr("no change of the name is under way"));
    return warning(
        tr("a change of the name from {} to {} was begun and not finished", record->change->from, record->change->to),
        by_hand({"commentoctl", "domain", "change", record->change->to, "--yes"}));
}

/// As commento-notify(8) chooses its ways.
Finding look_at_ways(CheckedHost& host) {
    const Settings& settings = host.settings();
    if (!settings.text("NOTIFY_WEBHOOK").empty())
        return ok(tr("failures are told to the webhook"));
    for (const char* server : {"NOTIFY_SMTP_URL", "COMMENTO_SMTP_HOST"}) {
        if (!settings.text(server).empty())
            return ok(tr("failures are told by mail, through {}", server));
    }
    if (::access(host.paths().sendmail().c_str(), X_OK) == 0)
        return ok(tr("failures are told by mail, through this host's sendmail"));
    return warning(
        tr("nobody is told when something fails"),
        advise(tr("set NOTIFY_SMTP_URL in commento-stack.conf, or NOTIFY_WEBHOOK in secrets.conf; commentoctl notify "
                  "test tries it")));
}

constexpr std::array kChecks{
    Check{"settings.values", msgid("The settings are valid"), look_at_values},
    Check{"settings.modes", msgid("Nobody else reads secrets or writes settings"), look_at_modes},
    Check{"settings.applied", msgid("What runs has the present settings"), look_whether_applied},
    Check{"settings.domain", msgid("No change of the name was left half-way"), look_for_unfinished_change},
    Check{"messages.way", msgid("Somebody is told when something fails"), look_at_ways},
};

} // namespace

std::span<const Check> settings_checks() { return kChecks; }

} // namespace commento
