#include "ctl/ctl.hpp"

#include "base/log.hpp"
#include "base/paths.hpp"
#include "base/program.hpp"
#include "base/translate.hpp"
#include "ctl/actions.hpp"
#include "ctl/app.hpp"
#include "ctl/backup.hpp"
#include "ctl/cert.hpp"
#include "ctl/changeover.hpp"
#include "ctl/doctor.hpp"
#include "ctl/domain.hpp"
#include "ctl/everyday.hpp"
#include "ctl/notify.hpp"
#include "ctl/output.hpp"
#include "ctl/setup_verb.hpp"
#include "ctl/show_config.hpp"
#include "ctl/status_verb.hpp"
#include "ctl/upgrade.hpp"
#include "ctl/version.hpp"

#include <array>
#include <clocale>
#include <fmt/format.h>
#include <map>

namespace commento {
namespace {

struct HelperVerb {
    const char* group;
    const char* verb;
    const char* help;
};

constexpr std::array kHelperVerbs{
    HelperVerb{"app", "install", msgid("Install the release that the settings name")},
    HelperVerb{"db", "check", msgid("Say what of the database is not as it should be")},
    HelperVerb{"db", "provision", msgid("Make roles, database and pool as they should be")},
    HelperVerb{"nginx", "reload", msgid("Have nginx serve what stands on disk")},
    HelperVerb{"nginx", "render", msgid("Write the site of the comment server")},
};

Result<void> run_helper_verb(const HelperVerb& helper) {
    COMMENTO_CHECK(require_root(fmt::format("commentoctl {} {}", helper.group, helper.verb)));
    if (helper.group == std::string_view("app"))
        COMMENTO_CHECK(require_no_changeover());
    return run_helper(fmt::format("commento-{}-{}.service", helper.group, helper.verb));
}

/// The groups, some of which have verbs more.
std::map<std::string_view, CLI::App*> add_helper_verbs(Program& program) {
    std::map<std::string_view, CLI::App*> groups{
        {"app", program.group("app", "The application's releases")},
        {"db", program.group("db", "The database")},
        {"nginx", program.group("nginx", "The web front")},
    };
    for (const auto& helper : kHelperVerbs)
        program.verb(
            helper.verb, helper.help, [&] { return run_helper_verb(helper); }, groups.at(helper.group));
    return groups;
}

} // namespace

int ctl_main(int argc, char** argv) {
    (void)std::setlocale(LC_CTYPE, ""); // NOLINT(concurrency-mt-unsafe): for the width of what the table shows
    speak_operators_language();
    const Paths paths;
    Program program("commentoctl", msgid("Sets up and watches over the comment server of this host."));
    add_setup_verb(program, paths);
    add_status_verb(program, paths);
    program.verb("show-config", "Show every key, its value and its origin", [&] { return show_config(paths); });
    add_doctor_verb(program, paths);
    add_everyday_verbs(program, paths);
    add_version_verb(program, paths);
    add_cert_verbs(program, paths);
    add_backup_verbs(program, paths);
    const auto groups = add_helper_verbs(program);
    add_app_verbs(*groups.at("app"), program, paths);
    add_domain_verbs(program, paths);
    add_notify_verbs(program, paths);
    add_upgrade_verb(*groups.at("db"), program, paths);
    const int status = program.run(argc, argv);
    if (status != 0 || was_heard())
        return status;
    report({ErrorCode::storage, tr("cannot write to stdout"), tr("is the disk that it goes to full?")});
    return static_cast<int>(ErrorCode::storage);
}

} // namespace commento
