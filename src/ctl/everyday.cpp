#include "ctl/everyday.hpp"

#include "base/journal.hpp"
#include "base/translate.hpp"
#include "config/settings.hpp"
#include "ctl/actions.hpp"
#include "ctl/changeover.hpp"
#include "ctl/installed_units.hpp"
#include "ctl/output.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace commento {
namespace {

struct Part {
    const char* name;
    const char* prefix; ///< of the units that are ours
    const char* others; ///< one unit of ours, or those of the host's service
};

constexpr std::array kParts{
    Part{"application", "commento-app-", "commento.service"},
    Part{"certificate", "commento-cert-", "commento.target"},
    Part{"database", "commento-db-", "postgresql*"},
    Part{"messages", "commento-notify", "commento-notify-test.service"},
    Part{"metrics", "commento-metrics", "commento-metrics.timer"},
    Part{"upgrades", "commentoctl-", "commentoctl-restart.service"},
    Part{"web", "commento-nginx-", "nginx.service"},
};

std::vector<std::string> names_of_parts() {
    std::vector<std::string> names(kParts.size());
    std::ranges::transform(kParts, names.begin(), &Part::name);
    return names;
}

struct LogsOptions {
    std::string part;
    bool follow = false;
};

/// journalctl(1) names groups only to who may not read, and ends well where some file of theirs is there.
Result<void> require_journal(const LogsOptions& options) {
    if (::geteuid() == 0 || may_read_journal())
        return {};
    return fail(ErrorCode::permission, tr("this user may not read the system's journal"),
                fmt::format("sudo commentoctl logs{}{}{}", options.follow ? " --follow" : "",
                            options.part.empty() ? "" : " ", options.part));
}

/// Becomes journalctl(1): its pager and colours are what operators know.
Result<void> show_logs(const Paths& paths, const LogsOptions& options) {
    COMMENTO_CHECK(require_journal(options));
    const std::vector<std::string> arguments = journal_arguments(options.part, options.follow, installed_units(paths));
    std::vector<char*> vector;
    vector.reserve(arguments.size() + 1);
    for (const auto& argument : arguments)
        vector.push_back(
            const_cast<char*>(argument.c_str())); // NOLINT(cppcoreguidelines-pro-type-const-cast): execv(3)
    vector.push_back(nullptr);
    ::execvp(vector.front(), vector.data());
    return fail_errno(ErrorCode::internal, tr("cannot run journalctl"), errno);
}

Result<void> show_address(const Paths& paths) {
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    say(settings.origin());
    return {};
}

Result<void> show_snippet(const Paths& paths) {
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    say(embed_snippet(settings.origin()));
    return {};
}

Result<void> restart(const Paths& paths, Interruption interruption) {
    COMMENTO_CHECK(require_root("commentoctl restart"));
    return restart_stack(paths, interruption);
}

Result<void> reload() {
    COMMENTO_CHECK(require_root("commentoctl reload"));
    COMMENTO_CHECK(run_helper("commento-nginx-render.service"));
    return run_helper("commento-nginx-reload.service");
}

} // namespace

std::string embed_snippet(std::string_view origin) {
    return fmt::format("<div id=\"commento\"></div>\n<script defer src=\"{}/js/commento.js\"></script>", origin);
}

std::vector<std::string> journal_arguments(const std::string& part, bool follow,
                                           const std::vector<std::string>& installed) {
    std::vector<std::string> arguments{"journalctl"};
    if (follow)
        arguments.insert(arguments.end(), {"--follow", "--lines=100"});
    else
        arguments.emplace_back("--pager-end");
    for (const auto& each : kParts) {
        if (!part.empty() && part != each.name)
            continue;
        arguments.push_back(fmt::format("--unit={}", each.others));
        for (const auto& unit : installed) {
            // Of a template, whatever its instances are called.
            if (unit.starts_with(each.prefix))
                arguments.push_back("--unit=" + (unit.find("@.") == std::string::npos
                                                     ? unit
                                                     : unit.substr(0, unit.find("@.") + 1) + "*"));
        }
    }
    return arguments;
}

void add_everyday_verbs(Program& program, const Paths& paths) {
    auto options = std::make_shared<LogsOptions>();
    CLI::App* logs = program.verb("logs", "Show what all parts logged, or one of them",
                                  [options, &paths] { return show_logs(paths, *options); });
    logs->add_option("part", options->part, "Such as application, database, web or messages")
        ->type_name("PART")
        ->check(CLI::IsMember(names_of_parts()).description(""));
    program.knows_words(logs, names_of_parts());
    logs->add_flag("-f,--follow", options->follow, "Go on showing what comes");
    program.verb("open", "Print the address of the comment server", [&paths] { return show_address(paths); });
    program.verb("embed", "Print what to paste into a page", [&paths] { return show_snippet(paths); });
    auto avoid = std::make_shared<bool>(false);
    CLI::App* restarts = program.verb("restart", "Restart all parts with new settings", [avoid, &paths] {
        return restart(paths, *avoid ? Interruption::avoided : Interruption::allowed);
    });
    restarts->add_flag("--no-interruption", *avoid, "Leave as it is what can't be restarted without one");
    program.verb("reload", "Have the web front take new settings", reload);
}

} // namespace commento
