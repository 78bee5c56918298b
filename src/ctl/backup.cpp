#include "ctl/backup.hpp"

#include "base/translate.hpp"
#include "ctl/actions.hpp"
#include "ctl/backups_table.hpp"
#include "ctl/output.hpp"
#include "ctl/request.hpp"
#include "ctl/setup.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

namespace commento {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kHelper = "commento-db";

struct Options {
    std::string name;
    std::string folder;
    bool json = false;
    bool yes = false;
};

Result<void> require_root_for(const Words& words) {
    return require_root(fmt::format("commentoctl backup {}", fmt::join(words, " ")));
}

/// As the unit of the backups' requests.
Result<void> request(const Paths& paths, const Words& words) {
    COMMENTO_CHECK(require_root_for(words));
    return run_request(paths, {"db-request", words});
}

Result<void> make(const Paths& paths, const Options& /*options*/) {
    COMMENTO_CHECK(request(paths, {"now"}));
    return run_helper("commento-db-copy.service");
}

Result<void> list(const Paths& paths, const Options& options) {
    COMMENTO_CHECK(require_root_for({"list"}));
    COMMENTO_ASSIGN(const std::string text, call_helper(paths, kHelper, {"backup", "list"}));
    say(options.json ? text.substr(0, text.find_last_not_of('\n') + 1)
                     : backups_table(nlohmann::json::parse(text), look_of_stdout()));
    return {};
}

Result<void> verify(const Paths& paths, const Options& options) { return request(paths, {"verify", options.name}); }

/// Has the databases change places, and returns when the application answers with what it has then.
Result<void> change_places(const Paths& paths, const std::string& how) {
    COMMENTO_CHECK(run_request(paths, {"db-switch", {how}}));
    return await_application(tr("commentoctl backup undo has the databases change places again"));
}

Result<void> restore(const Paths& paths, const Options& options) {
    COMMENTO_CHECK(require_root_for({"restore", options.name}));
    COMMENTO_ASSIGN(const bool sure, wants_to(options.yes, tr("Go back to the comments of {}? What came since is kept "
                                                              "in a backup, and for a week beside it.",
                                                              options.name)));
    if (!sure)
        return {};
    COMMENTO_CHECK(request(paths, {"restore", options.name}));
    COMMENTO_CHECK(change_places(paths, "switch"));
    say(tr("done; to take it back: commentoctl backup undo"));
    return {};
}

Result<void> undo(const Paths& paths, const Options& /*options*/) {
    COMMENTO_CHECK(require_root_for({"undo"}));
    COMMENTO_CHECK(run_request(paths, {"db-request", {"check-undo"}})); // before the site is taken down for it
    return change_places(paths, "undo");
}

Result<void> write_out(const Paths& paths, const Options& options) {
    const Words words{"backup", "export", options.name, std::filesystem::absolute(options.folder).string()};
    COMMENTO_CHECK(require_root_for({"export", options.name, options.folder}));
    constexpr std::chrono::hours kPatience{24};
    return call_helper(paths, kHelper, words, kPatience).map([](const std::string& /*nothing*/) {});
}

Result<void> prune(const Paths& paths, const Options& /*options*/) { return request(paths, {"prune"}); }

Result<void> copy(const Paths& /*paths*/, const Options& /*options*/) {
    COMMENTO_CHECK(require_root_for({"copy"}));
    return run_helper("commento-db-copy.service");
}

} // namespace

void add_backup_verbs(Program& program, const Paths& paths) {
    auto options = std::make_shared<Options>();
    CLI::App* group = program.group("backup", "Backups of comments, settings and certificates");
    const auto add = [&](const char* name, const char* help, Result<void> (*body)(const Paths&, const Options&)) {
        return program.verb(
            name, help, [body, options, &paths] { return body(paths, *options); }, group);
    };
    const auto add_name = [&](CLI::App* verb) {
        return verb->add_option("name", options->name, "Backup, or latest")->type_name("NAME");
    };
    add("now", "Make a backup", make);
    add("list", "Show what there is", list)->add_flag("--json", options->json, "For programs");
    add_name(add("verify", "Put a backup back on trial, and compare", verify))->default_val("latest");
    CLI::App* restoring = add("restore", "Go back to a backup", restore);
    add_name(restoring)->required();
    restoring->add_flag("--yes", options->yes, "Do not ask");
    add("undo", "Take the last restore back", undo);
    CLI::App* exporting = add("export", "Write all that a backup holds into a folder", write_out);
    add_name(exporting)->required();
    exporting->add_option("folder", options->folder, "New folder")->type_name("FOLDER")->required();
    add("prune", "Remove what the settings do not keep", prune);
    add("copy", "Copy the last one to where the settings say", copy);
}

} // namespace commento
