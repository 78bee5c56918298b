#include "ctl/upgrade.hpp"

#include "base/translate.hpp"
#include "ctl/actions.hpp"
#include "ctl/output.hpp"
#include "ctl/request.hpp"
#include "ctl/setup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

namespace commento {
namespace {

constexpr const char* kHelper = "commento-db";

struct Options {
    bool undo = false;
    bool yes = false;
};

/// What commento-db says it would do.
struct Plan {
    std::string current;
    std::string target; ///< empty where there is nothing to do
    std::vector<std::string> others;
};

Result<Plan> ask_plan(const Paths& paths, const char* verb) {
    COMMENTO_ASSIGN(const std::string text, call_helper(paths, kHelper, {verb}));
    const auto json = nlohmann::json::parse(text);
    return Plan{json.at("current"), json.at("target").is_null() ? "" : json.at("target").get<std::string>(),
                json.at("databases").get<std::vector<std::string>>()};
}

Result<void> carry_out(const Paths& paths, const char* verb, const std::string& way_back) {
    auto done = run_request(paths, {"db-upgrade", {verb}});
    auto up = await_application(way_back);
    return done ? up : done;
}

std::string named(const std::vector<std::string>& databases) {
    return databases.empty() ? tr("It has no databases but the comment server's.")
                             : tr("Its other databases come along: {}.", fmt::join(databases, ", "));
}

Result<void> upgrade(const Paths& paths, const Options& options) {
    COMMENTO_ASSIGN(const Plan plan, ask_plan(paths, "upgrade-plan"));
    if (plan.target.empty()) {
        say(tr("cluster {} has the newest version of PostgreSQL; nothing to do", plan.current));
        return {};
    }
    COMMENTO_ASSIGN(const bool sure,
                    wants_to(options.yes, tr("Upgrade cluster {} to {}? {} Nobody can use them meanwhile. A backup is "
                                             "made before, and the older cluster is kept.",
                                             plan.current, plan.target, named(plan.others))));
    return sure ? carry_out(paths, "upgrade", tr("to go back: commentoctl db upgrade --undo")) : Result<void>();
}

Result<void> undo(const Paths& paths, const Options& options) {
    COMMENTO_ASSIGN(const Plan plan, ask_plan(paths, "undo-plan"));
    const std::string others = plan.others.empty() ? "" : " " + tr("and in {}", fmt::join(plan.others, ", "));
    COMMENTO_ASSIGN(const bool sure,
                    wants_to(options.yes, tr("Go back from cluster {} to {}, as it was before the upgrade? What came "
                                             "since in the comments{} stays behind in {}, which is kept, stopped; of "
                                             "the comments there is a backup, too.",
                                             plan.current, plan.target, others, plan.current)));
    return sure ? carry_out(paths, "upgrade-undo", tr("commentoctl backup list shows what can be put back"))
                : Result<void>();
}

Result<void> run(const Paths& paths, const Options& options) {
    COMMENTO_CHECK(require_root(options.undo ? "commentoctl db upgrade --undo" : "commentoctl db upgrade"));
    // What was cut off is settled first; without that there is nothing that this unit does.
    COMMENTO_CHECK(await_run("commento-db-upgrade.service"));
    COMMENTO_CHECK(run_helper("commento-db-upgrade-recover.service"));
    return options.undo ? undo(paths, options) : upgrade(paths, options);
}

} // namespace

void add_upgrade_verb(CLI::App& group, Program& program, const Paths& paths) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = program.verb(
        "upgrade", "Move to the newest PostgreSQL that is installed",
        [options, &paths] { return run(paths, *options); }, &group);
    verb->add_flag("--undo", options->undo, "Go back to the cluster that was upgraded");
    verb->add_flag("--yes", options->yes, "Do not ask");
}

} // namespace commento
