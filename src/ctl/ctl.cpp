#include "ctl/ctl.hpp"

#include "base/log.hpp"
#include "base/paths.hpp"
#include "base/program.hpp"
#include "ctl/actions.hpp"
#include "ctl/backup.hpp"
#include "ctl/cert.hpp"
#include "ctl/domain.hpp"
#include "ctl/everyday.hpp"
#include "ctl/output.hpp"
#include "ctl/setup.hpp"
#include "ctl/show_config.hpp"
#include "ctl/status.hpp"
#include "ctl/upgrade.hpp"

#include <array>
#include <clocale>
#include <fmt/format.h>
#include <grp.h>
#include <iostream>
#include <map>
#include <optional>
#include <unistd.h>

namespace commento {
namespace {

struct SetupOptions {
    std::optional<std::string> domain;
    std::optional<std::string> email;
    std::vector<std::string> assignments;
    bool start = false;
};

Result<gid_t> group_of_secrets() {
    constexpr const char* kGroup = "commento";
    const group* entry = ::getgrnam(kGroup);
    if (entry == nullptr)
        return fail(ErrorCode::internal, fmt::format("the group {} is not there", kGroup),
                    "systemd-sysusers commento-stack.conf makes it");
    return entry->gr_gid;
}

Result<void> print_status(const Paths& paths) {
    const Status status = assess(find_facts(paths));
    say(to_text(status, look_of_stdout()));
    return verdict(status);
}

Result<void> print_status_json(const Paths& paths) {
    const Status status = assess(find_facts(paths));
    constexpr int kIndent = 2;
    say(to_json(status).dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace));
    return verdict(status);
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

/// Writes what the wishes ask for; says what changed. True when anything was written.
Result<bool> apply(const SettingsFiles& present, const std::vector<Wish>& wishes, const Paths& paths) {
    COMMENTO_ASSIGN(const Plan plan, plan_setup(present, wishes, paths));
    COMMENTO_ASSIGN(const gid_t group, group_of_secrets());
    COMMENTO_ASSIGN(const bool wrote, write_plan(plan, group, paths));
    for (const auto& change : plan.changes)
        say(change);
    if (!wrote)
        say("the settings are so already; nothing is changed");
    return wrote;
}

Result<std::vector<Wish>> ask(const SettingsFiles& present, const Paths& paths) {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
        return fail(ErrorCode::settings, "no flag is given, and there is no terminal to ask on",
                    "commentoctl setup --domain NAME --email ADDRESS");
    const auto known = Settings::examine(present.settings, present.secrets.value_or(""), paths);
    return ask_wishes(known.settings, std::cin, std::cout);
}

Result<void> start(Begin how, const Paths& paths) {
    say("starting commento.target; where no release is installed yet, it is downloaded now");
    COMMENTO_CHECK(start_stack(how));
    return print_status(paths);
}

Result<void> set_up(const SetupOptions& options, const Paths& paths) {
    COMMENTO_CHECK(require_root("commentoctl setup"));
    COMMENTO_ASSIGN(const SettingsFiles present, read_files_or_templates(paths));
    COMMENTO_ASSIGN(std::vector<Wish> wishes, wishes_of(options));
    const bool asks = wishes.empty() && !options.start;
    if (asks) {
        COMMENTO_ASSIGN(wishes, ask(present, paths));
    }
    COMMENTO_ASSIGN(const bool wrote, apply(present, wishes, paths));
    bool starts = options.start;
    if (asks) {
        COMMENTO_ASSIGN(starts, ask_consent("Start the comment server now?", std::cin, std::cout));
    }
    if (starts)
        return start(wrote ? Begin::restart : Begin::start, paths);
    if (wrote)
        say("to run with them: systemctl enable commento.target; systemctl restart commento.target");
    return {};
}

void add_setup(Program& program, SetupOptions& options, const Paths& paths) {
    CLI::App* verb =
        program.verb("setup", "Write the settings; asks on a terminal", [&] { return set_up(options, paths); });
    verb->add_option("--domain", options.domain, "Name of the comment server")->type_name("NAME");
    verb->add_option("--email", options.email, "Address for the authority")->type_name("ADDRESS");
    verb->add_option("--set", options.assignments, "Any key; may be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false); // one word for each --set
    verb->add_flag("--start", options.start, "Enable and start the stack, too");
}

void add_views(Program& program, bool& json, const Paths& paths) {
    CLI::App* status = program.verb("status", "Show each part and whether it is well",
                                    [&] { return json ? print_status_json(paths) : print_status(paths); });
    status->add_flag("--json", json, "For programs");
    program.verb("show-config", "Show every key, its value and its origin", [&] { return show_config(paths); });
}

struct HelperVerb {
    const char* group;
    const char* verb;
    const char* help;
};

constexpr std::array kHelperVerbs{
    HelperVerb{"app", "install", "Install the release that the settings name"},
    HelperVerb{"db", "check", "Say what of the database is not as it should be"},
    HelperVerb{"db", "provision", "Make roles, database and pool as they should be"},
    HelperVerb{"nginx", "reload", "Have nginx serve what stands on disk"},
    HelperVerb{"nginx", "render", "Write the site of the comment server"},
};

Result<void> run_helper_verb(const HelperVerb& helper) {
    COMMENTO_CHECK(require_root(fmt::format("commentoctl {} {}", helper.group, helper.verb)));
    return run_helper(fmt::format("commento-{}-{}.service", helper.group, helper.verb));
}

/// The value is the group `db`, which has a verb more.
CLI::App* add_helper_verbs(Program& program) {
    std::map<std::string_view, CLI::App*> groups{
        {"app", program.group("app", "The application's release")},
        {"db", program.group("db", "The database")},
        {"nginx", program.group("nginx", "The web front")},
    };
    for (const auto& helper : kHelperVerbs)
        program.verb(
            helper.verb, helper.help, [&] { return run_helper_verb(helper); }, groups.at(helper.group));
    return groups.at("db");
}

} // namespace

int ctl_main(int argc, char** argv) {
    (void)std::setlocale(LC_CTYPE, ""); // NOLINT(concurrency-mt-unsafe): for the width of what the table shows
    const Paths paths;
    SetupOptions options;
    bool json = false;
    Program program("commentoctl", "Sets up and watches over the comment server of this host.");
    add_setup(program, options, paths);
    add_views(program, json, paths);
    add_everyday_verbs(program, paths);
    add_cert_verbs(program, paths);
    add_backup_verbs(program, paths);
    add_domain_verbs(program, paths);
    add_upgrade_verb(*add_helper_verbs(program), program, paths);
    const int status = program.run(argc, argv);
    if (status != 0 || was_heard())
        return status;
    report({ErrorCode::storage, "cannot write to stdout", "is the disk that it goes to full?"});
    return static_cast<int>(ErrorCode::storage);
}

} // namespace commento
