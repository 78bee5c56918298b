#include "db/db.hpp"

#include "base/program.hpp"
#include "db/backup.hpp"
#include "db/copy.hpp"
#include "db/export.hpp"
#include "db/follow.hpp"
#include "db/guard.hpp"
#include "db/provision.hpp"
#include "db/restore.hpp"
#include "db/shelf.hpp"
#include "db/upgrade_verbs.hpp"
#include "db/upkeep.hpp"
#include "db/verify.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace commento {
namespace {

using Verb = std::function<Result<void>(const Paths&, const Settings&)>;
using VerbOnBackup = Result<void> (*)(const Paths&, const Settings&, const std::string&);

Program::Body with_settings(Verb verb) {
    return [verb = std::move(verb)]() -> Result<void> {
        const Paths paths;
        COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
        return verb(paths, settings);
    };
}

/// The same, for what writes backups or databases: one at a time.
Program::Body alone(Verb verb) {
    return with_settings([verb = std::move(verb)](const Paths& paths, const Settings& settings) -> Result<void> {
        COMMENTO_ASSIGN(const Fd lock, lock_backups(paths));
        return verb(paths, settings);
    });
}

Result<void> make_backup_now(const Paths& paths, const Settings& settings) {
    return make_backup(paths, settings, "manual").map([](const std::string& /*name*/) {});
}

Result<void> make_backup_before_upgrade(const Paths& paths, const Settings& settings) {
    return make_backup(paths, settings, "before-db-upgrade").map([](const std::string& /*name*/) {});
}

/// What the verbs take from the command line.
struct Options {
    std::string name = "latest";
    std::string folder;
};

/// The verbs of `backup`. All but those that only read run one at a time.
class Verbs {
  public:
    explicit Verbs(Program& program) : program_(program), group_(program.group("backup", "Backups")) {}

    void add_unlocked(const char* name, const char* help, const Verb& verb) {
        program_.verb(name, help, with_settings(verb), group_);
    }

    void add(const char* name, const char* help, const Verb& verb) { program_.verb(name, help, alone(verb), group_); }

    void add_on_backup(const char* name, const char* help, VerbOnBackup verb) {
        const auto on_backup = [verb, options = options_](const Paths& paths,
                                                          const Settings& settings) -> Result<void> {
            COMMENTO_ASSIGN(const std::string backup, find_backup(paths, options->name));
            return verb(paths, settings, backup);
        };
        CLI::App* added = program_.verb(name, help, alone(on_backup), group_);
        added->add_option("name", options_->name, "Backup, or latest")->type_name("NAME");
    }

    void add_readers() {
        program_.verb(
            "list", "Print what there is, as JSON", [] { return list_backups(Paths{}); }, group_);
        CLI::App* exporting = program_.verb(
            "export", "Write all that a backup holds into a folder",
            [options = options_]() -> Result<void> {
                const Paths paths;
                COMMENTO_ASSIGN(const std::string backup, find_backup(paths, options->name));
                return export_backup(paths, backup, options->folder);
            },
            group_);
        exporting->add_option("name", options_->name, "Backup, or latest")->type_name("NAME")->required();
        exporting->add_option("folder", options_->folder, "New folder")->type_name("FOLDER")->required();
    }

  private:
    Program& program_;
    CLI::App* group_;
    std::shared_ptr<Options> options_ = std::make_shared<Options>();
};

} // namespace

int db_main(int argc, char** argv) {
    Program program("commento-db", "The comment server's database in PostgreSQL, and its backups");
    program.verb("provision", "Make roles, database and pool as they should be", with_settings(provision));
    program.verb("check", "Say what is not as it should be", with_settings(check));
    program.verb("guard", "Back up before an upgrade; find one cut off", [] { return guard(Paths{}); });
    program.verb("follow", "Lead the pool to the server that takes changes", with_settings(follow));
    Verbs backup(program);
    backup.add("now", "Make a backup", make_backup_now);
    backup.add("before-db-upgrade", "Make one, for that reason", make_backup_before_upgrade);
    backup.add("scheduled", "Make one, remove old ones, verify one a week", make_scheduled_backup);
    backup.add_on_backup("verify", "Put a backup back on trial, and compare", verify_backup);
    backup.add_on_backup("restore", "Put a backup back beside the database", restore);
    backup.add("switch", "Have the database change places with it", switch_databases);
    backup.add("check-undo", "Say whether a restore can be taken back", check_undo);
    backup.add("undo", "Have them change places again", undo_restore);
    backup.add("prune", "Remove what the settings do not keep", prune);
    backup.add("copy", "Run BACKUP_COPY_COMMAND", copy_backup);
    backup.add_unlocked("tidy", "Remove what killed runs left behind", tidy);
    backup.add_readers();
    add_upgrade_verbs(program);
    return program.run(argc, argv);
}

} // namespace commento
