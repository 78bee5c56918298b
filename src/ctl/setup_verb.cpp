#include "ctl/setup_verb.hpp"

#include "base/translate.hpp"
#include "base/units.hpp"
#include "config/keys.hpp"
#include "ctl/actions.hpp"
#include "ctl/changeover.hpp"
#include "ctl/everyday.hpp"
#include "ctl/installed_units.hpp"
#include "ctl/look_ahead.hpp"
#include "ctl/output.hpp"
#include "ctl/setup.hpp"
#include "ctl/status_verb.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <grp.h>
#include <iostream>
#include <memory>
#include <optional>
#include <unistd.h>

namespace commento {
namespace {

struct SetupOptions {
    std::optional<std::string> domain;
    std::optional<std::string> email;
    std::vector<std::string> assignments;
    bool start = false;
    bool offline = false;
};

Result<gid_t> group_of_secrets() {
    constexpr const char* kGroup = "commento";
    const group* entry = ::getgrnam(kGroup);
    if (entry == nullptr)
        return fail(ErrorCode::internal, tr("the group {} is not there", kGroup),
                    tr("systemd-sysusers commento-stack.conf makes it"));
    return entry->gr_gid;
}

Result<std::vector<Wish>> wishes_of(const SetupOptions& options) {
    std::vector<Wish> wishes;
    if (options.domain)
        wishes.push_back({"--domain", "DOMAIN", *options.domain});
    if (options.email)
        wishes.push_back({"--email", "EMAIL", *options.email});
    for (const auto& assignment : options.assignments) {
        COMMENTO_ASSIGN(Wish wish, parse_wish(assignment));
        wishes.push_back(std::move(wish));
    }
    return wishes;
}

Prospect look_ahead(const Paths& paths, const SettingsFiles& files) {
    return look_ahead(paths, examine(files, paths).settings);
}

/// The name that readers know, where the new settings leave it; empty where they do not.
std::string name_left_behind(const Settings& before, const Settings& after) {
    const std::string former = canonical_name(before.text("DOMAIN"));
    const auto names = after.certificate_names();
    return former.empty() || std::ranges::find(names, former) != names.end() ? "" : former;
}

/// Writes what the wishes ask for; says what changed. True when anything was written.
Result<bool> apply(const Plan& plan, const Paths& paths) {
    COMMENTO_ASSIGN(const gid_t group, group_of_secrets());
    COMMENTO_ASSIGN(const bool wrote, write_plan(plan, group, paths));
    for (const auto& change : plan.changes)
        say(change);
    if (!wrote)
        say(tr("the settings are so already; nothing is changed"));
    return wrote;
}

/// Looks at the world as soon as the name is known.
Result<bool> inspect(const SettingsFiles& present, const Wish& answer, const Paths& paths) {
    if (answer.key != "DOMAIN")
        return true;
    const Settings candidate =
        Settings::examine(with_assignment(present.settings, answer.key, answer.value), "", paths).settings;
    const Prospect prospect = look_ahead(paths, candidate);
    say(prospect.text);
    return prospect.is_good ? Result<bool>(true) : ask_consent(tr("Take it nevertheless?"), std::cin, std::cout);
}

Result<std::vector<Wish>> ask(const SettingsFiles& present, bool offline, const Paths& paths) {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
        return fail(ErrorCode::settings, tr("no flag is given, and there is no terminal to ask on"),
                    "commentoctl setup --domain NAME --email ADDRESS");
    const Settings known = examine(present, paths).settings;
    const auto look = [&](const Wish& answer) {
        return offline ? Result<bool>(true) : inspect(present, answer, paths);
    };
    return ask_wishes(known, look, std::cin, std::cout);
}

Result<bool> is_serving() {
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_ASSIGN(const UnitState application, units.state("commento.service"));
    return application.active == "active";
}

/// `changed`: what runs has to take new settings.
Result<void> start(bool changed, const Paths& paths) {
    say(tr("starting commento.target; where no release is installed yet, it is downloaded now"));
    COMMENTO_ASSIGN(const bool serving, is_serving());
    if (serving && changed)
        COMMENTO_CHECK(restart_stack(paths, Interruption::allowed));
    COMMENTO_CHECK(start_stack(changed && !serving ? Begin::restart : Begin::start, installed_units(paths)));
    COMMENTO_CHECK(print_status(paths));
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    say(tr("\nThis goes into each page that is to have comments:\n\n{}", embed_snippet(settings.origin())));
    return {};
}

Result<void> set_up(const SetupOptions& options, const Paths& paths) {
    COMMENTO_CHECK(require_root("commentoctl setup"));
    COMMENTO_ASSIGN(const SettingsFiles present, read_files_or_templates(paths));
    COMMENTO_ASSIGN(std::vector<Wish> wishes, wishes_of(options));
    const bool asks = wishes.empty() && !options.start;
    if (asks) {
        COMMENTO_ASSIGN(wishes, ask(present, options.offline, paths));
    }
    COMMENTO_ASSIGN(const Plan plan, plan_setup(present, wishes, paths));
    if (!asks && !options.offline && !plan.changes.empty())
        say(look_ahead(paths, plan.files).text);
    COMMENTO_ASSIGN(const bool wrote, apply(plan, paths));
    if (const auto former = name_left_behind(examine(present, paths).settings, examine(plan.files, paths).settings);
        !former.empty())
        say(tr("{0} is given up with this; to have it lead readers on: commentoctl setup --set REDIRECT_NAMES={0}",
               former));
    bool starts = options.start;
    if (asks) {
        COMMENTO_ASSIGN(starts, ask_consent(tr("Start the comment server now?"), std::cin, std::cout));
    }
    if (starts)
        return start(wrote, paths);
    if (wrote)
        say(tr("to run with them: systemctl enable commento.target; commentoctl restart"));
    return {};
}

} // namespace

void add_setup_verb(Program& program, const Paths& paths) {
    auto options = std::make_shared<SetupOptions>();
    CLI::App* verb = program.verb("setup", "Write the settings; asks on a terminal",
                                  [options, &paths] { return set_up(*options, paths); });
    verb->add_option("--domain", options->domain, "Name of the comment server")->type_name("NAME");
    verb->add_option("--email", options->email, "Address for the authority")->type_name("ADDRESS");
    verb->add_option("--set", options->assignments, "Any key; may be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false); // one word for each --set
    verb->add_flag("--start", options->start, "Enable and start the stack, too");
    verb->add_flag("--offline", options->offline, "Do not look at DNS, the authority and ports");
}

} // namespace commento
