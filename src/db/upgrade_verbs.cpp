#include "db/upgrade_verbs.hpp"

#include "base/paths.hpp"
#include "config/settings.hpp"
#include "db/upgrade.hpp"
#include "db/upgrade_plan.hpp"

namespace commento {
namespace {

using Verb = Result<void> (*)(const Paths&, const Settings&);

} // namespace

void add_upgrade_verbs(Program& program) {
    const auto add = [&](const char* name, const char* help, Verb verb) {
        program.verb(name, help, [verb]() -> Result<void> {
            const Paths paths;
            COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
            return verb(paths, settings);
        });
    };
    add("upgrade", "Upgrade the cluster to the newest PostgreSQL installed", upgrade);
    add("upgrade-undo", "Go back to the cluster that was upgraded", undo_upgrade);
    add("upgrade-plan", "Print what upgrade would do, as JSON", print_upgrade_plan);
    add("undo-plan", "Print what upgrade-undo would do, as JSON", print_undo_plan);
    // Reads no settings: a fault in them must not keep the host's databases down.
    program.verb("upgrade-recover", "Finish or take back what was cut off", [] { return recover_upgrade(Paths{}); });
}

} // namespace commento
