// systemd's units, and the files of the package and of the state.

#include "base/files.hpp"
#include "base/host_facts.hpp"
#include "base/process.hpp"
#include "base/translate.hpp"
#include "ctl/check.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <grp.h>
#include <optional>
#include <pwd.h>
#include <sstream>
#include <sys/stat.h>
#include <utility>

namespace commento {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr const char* kTarget = "commento.target";

Finding look_at_target(CheckedHost& host) {
    const auto& target = host.facts().target;
    if (!target)
        return fault(target.error().message, advise(target.error().hint));
    return target->state.active == "active"
               ? ok(tr("commento.target is active"))
               : fault(tr("commento.target is {}", target->state.active), safely({"systemctl", "start", kTarget}));
}

Finding look_whether_enabled(CheckedHost& host) {
    const auto& target = host.facts().target;
    if (!target)
        return skipped(tr("systemd does not say"));
    return target->state.enabled == "enabled"
               ? ok(tr("commento.target starts at boot"))
               : fault(tr("commento.target does not start at boot"), safely({"systemctl", "enable", kTarget}));
}

/// Those of ours in which a state holds, by their names.
template <typename Holds>
std::vector<std::string> units_where(CheckedHost& host, Holds holds) {
    std::vector<std::string> names;
    for (const auto& [name, state] : host.unit_states()) {
        if (holds(state))
            names.push_back(name);
    }
    return names;
}

std::vector<std::string> with(std::vector<std::string> command, const std::vector<std::string>& words) {
    command.insert(command.end(), words.begin(), words.end());
    return command;
}

/// Runs when an operator's command starts it, and at no other time: with words from there, or as a part of that
/// command.
bool is_on_request(const Paths& paths, const std::string& unit) {
    constexpr std::array kWithoutWords{"commento-app-beside.service", "commento-db-upgrade-backup.service",
                                       "commento-notify-test.service"};
    const std::string text = read_file(paths.units() / unit).value_or("");
    return text.find("EnvironmentFile=-/run/commento-stack/") != std::string::npos ||
           std::ranges::find(kWithoutWords, unit) != kWithoutWords.end();
}

Finding look_for_failed(CheckedHost& host) {
    auto failed = units_where(host, [](const UnitState& state) { return state.active == "failed"; });
    // Who asked for it was told, and only who asks may have it run again.
    std::erase_if(failed, [&](const std::string& name) { return is_on_request(host.paths(), name); });
    if (failed.empty())
        return ok(tr("no unit failed"));
    std::string saw;
    for (const auto& name : failed) {
        const auto words = last_words(name, host.unit_states().at(name).invocation);
        saw += fmt::format("{}{}: {}", saw.empty() ? "" : "\n", name, words ? words->message : tr("failed"));
    }
    return fault(saw, safely_all({with({"systemctl", "reset-failed"}, failed), with({"systemctl", "start"}, failed)}));
}

Finding look_for_masked(CheckedHost& host) {
    const auto masked = units_where(host, [](const UnitState& state) { return state.load == "masked"; });
    return masked.empty()
               ? ok(tr("no unit is masked"))
               : fault(tr("masked: {}", fmt::join(masked, ", ")), by_hand(with({"systemctl", "unmask"}, masked)));
}

/// systemctl warns of it at each call, and nothing else tells.
Finding look_for_stale(CheckedHost& host) {
    const auto stale = units_where(host, [](const UnitState& state) { return state.is_stale; });
    return stale.empty() ? ok(tr("systemd has read the units as they are"))
                         : warning(tr("changed on disk since systemd read them: {}", fmt::join(stale, ", ")),
                                   safely({"systemctl", "daemon-reload"}));
}

// --- files ---

struct Folder {
    std::string path;
    mode_t mode;
    std::string user;
    std::string group;
};

/// The lines "d PATH MODE USER GROUP" of our tmpfiles.d(5).
std::vector<Folder> folders_of_state(const Paths& paths) {
    constexpr int kOctal = 8;
    std::istringstream lines(read_file(paths.root / "usr/lib/tmpfiles.d/commento-stack.conf").value_or(""));
    std::vector<Folder> folders;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string type;
        std::string path;
        std::string mode;
        std::string user;
        std::string group;
        words >> type >> path >> mode >> user >> group;
        if (type == "d")
            folders.push_back({path, static_cast<mode_t>(std::strtoul(mode.c_str(), nullptr, kOctal)), user, group});
    }
    return folders;
}

std::string owner_of(const struct stat& state) {
    const passwd* user = ::getpwuid(state.st_uid);
    const group* group = ::getgrgid(state.st_gid);
    return fmt::format("{}:{}", user == nullptr ? std::to_string(state.st_uid) : user->pw_name,
                       group == nullptr ? std::to_string(state.st_gid) : group->gr_name);
}

Finding look_at_state_folders(CheckedHost& host) {
    constexpr mode_t kPermissions = 07777;
    std::string saw;
    for (const auto& folder : folders_of_state(host.paths())) {
        struct stat state {};
        const bool there = ::stat(folder.path.c_str(), &state) == 0;
        const std::string wanted = fmt::format("{}:{}", folder.user, folder.group);
        if (there && owner_of(state) == wanted && (state.st_mode & kPermissions) == folder.mode)
            continue;
        saw += fmt::format(
            "{}{} {}", saw.empty() ? "" : "\n", folder.path,
            there ? tr("is {} {:o}, not {} {:o}", owner_of(state), state.st_mode & kPermissions, wanted, folder.mode)
                  : tr("is not there"));
    }
    return saw.empty() ? ok(tr("folders below /var/lib/commento-stack are their users'"))
                       : fault(saw, safely_all({{"systemd-sysusers", "commento-stack.conf"},
                                                {"systemd-tmpfiles", "--create", "commento-stack.conf"}}));
}

bool is_key(const std::string& name) { return name.ends_with("key.pem") || name.ends_with(".key"); }

/// Private keys below tls/ and acme/ are for their owner alone. Not mended by itself: root would follow what that owner
/// may have put in the place meanwhile.
Finding look_at_keys(CheckedHost& host) {
    constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
    std::vector<std::string> open;
    for (const auto& folder : {host.paths().tls(), host.paths().acme()}) {
        std::error_code fault;
        for (fs::recursive_directory_iterator at(folder, fault); !fault && at != fs::recursive_directory_iterator();
             at.increment(fault)) {
            struct stat state {};
            if (is_key(at->path().filename()) && ::lstat(at->path().c_str(), &state) == 0 && S_ISREG(state.st_mode) &&
                (state.st_mode & kOthers) != 0)
                open.push_back(at->path());
        }
    }
    return open.empty()
               ? ok(tr("private keys are for their owner alone"))
               : fault(tr("others may read {}", fmt::join(open, ", ")), by_hand(with({"chmod", "0600"}, open)));
}

/// An upgrade that was killed leaves both versions in rpm's database, and may have run none of the later one's
/// scriptlets; a reinstall leaves the one version twice. Where a repository has both, `dnf reinstall` alone would have
/// both again, and refuses; `dnf remove --duplicates` is not in every dnf 5.
std::optional<Finding> look_for_second_version(const HostFacts& facts) {
    const auto known = run_program(
        {"rpm", "--query", "--queryformat", "%{INSTALLTIME} %{VERSION}-%{RELEASE}\\n", "commento-stack"}, 60s);
    if (!known || known->status != 0)
        return std::nullopt;
    std::istringstream words(known->output);
    std::vector<std::pair<std::int64_t, std::string>> installed;
    std::int64_t time = 0;
    for (std::string version; words >> time >> version;)
        installed.emplace_back(time, version);
    if (installed.size() < 2)
        return std::nullopt;
    std::ranges::sort(installed);
    std::vector<std::string> versions;
    std::vector<std::vector<std::string>> commands;
    for (const auto& [when, version] : installed) {
        versions.push_back(version);
        if (version != installed.back().second)
            commands.push_back({"rpm", "--erase", "commento-stack-" + version});
    }
    commands.push_back(facts.reinstall("commento-stack"));
    return fault(tr("an upgrade was broken off; rpm has the package more than once: {}", fmt::join(versions, ", ")),
                 by_hand_all(std::move(commands)));
}

/// What the package brought is as it brought it. Settings files are none of these.
Finding look_at_package(CheckedHost& host) {
    const HostFacts facts = host_facts(host.paths());
    if (auto twice = facts.family == Family::fedora ? look_for_second_version(facts) : std::nullopt)
        return *std::move(twice);
    const auto verified = run_program(facts.verify("commento-stack"), 60s);
    if (!verified || verified->output.find("not installed") != std::string::npos)
        return skipped(tr("neither dpkg nor rpm knows the package"));
    if (verified->output.empty())
        return ok(tr("the package's files are unchanged"));
    return fault(tr("changed since the package was installed:\n{}",
                    verified->output.substr(0, verified->output.find_last_not_of('\n') + 1)),
                 by_hand(facts.reinstall("commento-stack")));
}

constexpr std::array kChecks{
    Check{"units.target", msgid("The stack is started"), look_at_target},
    Check{"units.enabled", msgid("The stack starts at boot"), look_whether_enabled},
    Check{"units.failed", msgid("No unit failed"), look_for_failed},
    Check{"units.masked", msgid("No unit is masked"), look_for_masked},
    Check{"units.stale", msgid("systemd knows the units as they are"), look_for_stale},
    Check{"files.state", msgid("Folders belong to their users"), look_at_state_folders},
    Check{"files.keys", msgid("Private keys are private"), look_at_keys},
    Check{"files.package", msgid("The package is whole"), look_at_package},
};

} // namespace

std::span<const Check> unit_checks() { return kChecks; }

} // namespace commento
