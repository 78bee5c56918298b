#include "ctl/everyday.hpp"

#include "base/units.hpp"
#include "config/settings.hpp"
#include "ctl/actions.hpp"
#include "ctl/output.hpp"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace commento {
namespace {

struct Part {
    const char* name;
    std::vector<std::string> units; ///< patterns of unit names
};

const std::array<Part, 4>& parts() {
    static const std::array<Part, 4> all{
        Part{"application", {"commento.service", "commento-app-*"}},
        Part{"certificate", {"commento-cert-*"}},
        Part{"database", {"commento-db-*", "postgresql*"}},
        Part{"web", {"nginx.service", "commento-nginx-*"}},
    };
    return all;
}

std::vector<std::string> names_of_parts() {
    std::vector<std::string> names;
    for (const auto& part : parts())
        names.emplace_back(part.name);
    return names;
}

struct LogsOptions {
    std::string part;
    bool follow = false;
};

/// Becomes journalctl(1): its pager, colours and hints to who may not read the journal are what operators know.
Result<void> show_logs(const LogsOptions& options) {
    const std::vector<std::string> arguments = journal_arguments(options.part, options.follow);
    std::vector<char*> vector;
    vector.reserve(arguments.size() + 1);
    for (const auto& argument : arguments)
        vector.push_back(
            const_cast<char*>(argument.c_str())); // NOLINT(cppcoreguidelines-pro-type-const-cast): execv(3)
    vector.push_back(nullptr);
    ::execvp(vector.front(), vector.data());
    return fail_errno(ErrorCode::internal, "cannot run journalctl", errno);
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

/// What runs takes new settings through PartOf=.
Result<void> restart() {
    constexpr const char* kTarget = "commento.target";
    constexpr std::chrono::minutes kLimit{10};
    COMMENTO_CHECK(require_root("commentoctl restart"));
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_ASSIGN(const std::string result, units.run_job("RestartUnit", kTarget, kLimit));
    if (result != "done")
        return fail(ErrorCode::internal, fmt::format("systemd did not restart {}: {}", kTarget, result),
                    fmt::format("systemctl status {}", kTarget));
    return await_application("commentoctl status");
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

std::vector<std::string> journal_arguments(const std::string& part, bool follow) {
    std::vector<std::string> arguments{"journalctl"};
    if (follow)
        arguments.insert(arguments.end(), {"--follow", "--lines=100"});
    else
        arguments.emplace_back("--pager-end");
    for (const auto& each : parts()) {
        if (!part.empty() && part != each.name)
            continue;
        for (const auto& unit : each.units)
            arguments.push_back("--unit=" + unit);
    }
    return arguments;
}

void add_everyday_verbs(Program& program, const Paths& paths) {
    auto options = std::make_shared<LogsOptions>();
    CLI::App* logs =
        program.verb("logs", "Show what all parts logged, or one of them", [options] { return show_logs(*options); });
    logs->add_option("part", options->part, "application, certificate, database or web")
        ->type_name("PART")
        ->check(CLI::IsMember(names_of_parts()).description(""));
    logs->add_flag("-f,--follow", options->follow, "Go on showing what comes");
    program.verb("open", "Print the address of the comment server", [&paths] { return show_address(paths); });
    program.verb("embed", "Print what to paste into a page", [&paths] { return show_snippet(paths); });
    program.verb("restart", "Restart all parts with new settings", restart);
    program.verb("reload", "Have the web front take new settings", reload);
}

} // namespace commento
