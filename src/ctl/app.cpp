#include "ctl/app.hpp"

#include "base/files.hpp"
#include "base/translate.hpp"
#include "ctl/actions.hpp"
#include "ctl/changeover.hpp"
#include "ctl/output.hpp"
#include "ctl/releases_table.hpp"
#include "ctl/request.hpp"
#include "ctl/setup.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace commento {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Words = std::vector<std::string>;

struct Options {
    std::string source; ///< file or address
    std::string sha256;
    std::string name;
    bool json = false;
    bool yes = false;
};

Result<json> list_of(const Paths& paths) {
    COMMENTO_ASSIGN(const std::string text, call_helper(paths, "commento-app", {"list"}));
    return json::parse(text);
}

Result<void> list(const Paths& paths, const Options& options) {
    COMMENTO_ASSIGN(const json releases, list_of(paths));
    say(options.json ? releases.dump() : releases_table(releases, look_of_stdout()));
    return {};
}

bool is_address(const std::string& source) { return source.find("://") != std::string::npos; }

/// What `commento-app fetch` is told.
Result<Words> words_for(const Options& options) {
    if (options.source.empty())
        return options.sha256.empty()
                   ? Result<Words>(Words{})
                   : fail(ErrorCode::settings, tr("--sha256 is for a release that is named beside it"),
                          "commentoctl app upgrade FILE or ADDRESS --sha256 SUM");
    if (is_address(options.source) && options.sha256.empty())
        return fail(ErrorCode::settings, tr("what is downloaded needs --sha256, the SHA-256 of its archive"),
                    tr("take it from the project's own release page"));
    Words words = is_address(options.source) ? Words{"--url", options.source}
                                             : Words{"--archive", fs::absolute(options.source).string()};
    if (!options.sha256.empty())
        words.insert(words.end(), {"--sha256", options.sha256});
    return words;
}

Result<void> upgrade(const Paths& paths, const Options& options) {
    COMMENTO_CHECK(require_root("commentoctl app upgrade"));
    COMMENTO_CHECK(require_no_changeover());
    COMMENTO_ASSIGN(const Words words, words_for(options));
    COMMENTO_ASSIGN(const std::string name, fetch_release(paths, words));
    if (words.empty() && name == fs::path(link_target(paths.app_current())).filename()) {
        say(tr("{}, which the settings name, is current: nothing to do", name));
        return {};
    }
    COMMENTO_CHECK(change_over_to(paths, name, words.empty() ? Words{} : Words{"--name-it"}));
    say(tr("done; to go back: commentoctl app rollback"));
    return {};
}

/// The backup that was made before that release was left; empty where there is none.
std::string backup_of(const Paths& paths, const std::string& release) {
    const auto text = call_helper(paths, "commento-db", {"backup", "list"});
    std::string found;
    for (const auto& backup : text ? json::parse(*text) : json::array()) {
        if (backup.at("fault").is_null() && backup.at("reason") == "before-upgrade" &&
            backup.at("versions").at("application") == release)
            found = backup.at("name"); // the newest is last
    }
    return found;
}

/// Asks only where the database is ahead of the release.
Result<bool> is_sure(const Paths& paths, const json& release, bool said_yes) {
    const auto steps = release.at("unknown_steps").get<Words>();
    if (steps.empty())
        return true;
    const std::string name = release.at("name");
    const std::string backup = backup_of(paths, name);
    const std::string comments =
        backup.empty() ? tr("No backup from before is there.")
                       : tr("To have the comments of before, too, afterwards: commentoctl backup restore {}.", backup);
    const std::string warning =
        tr("The database was changed for the current release ({}), and {} does not know that: it may refuse to "
           "start, and then the current one goes on. {}",
           fmt::join(steps, ", "), name, comments);
    if (said_yes)
        say(warning);
    return wants_to(said_yes, warning + " " + tr("Go back to it?"));
}

Result<void> rollback(const Paths& paths, const Options& options) {
    COMMENTO_CHECK(require_root("commentoctl app rollback"));
    COMMENTO_CHECK(require_no_changeover());
    COMMENTO_ASSIGN(const json releases, list_of(paths));
    const auto previous =
        std::ranges::find_if(releases, [](const json& each) { return each.at("state") == "previous"; });
    if (previous == releases.end())
        return fail(ErrorCode::release, tr("there is no previous release to go back to"),
                    tr("commentoctl app list shows what there is; commentoctl app upgrade FILE takes any"));
    COMMENTO_ASSIGN(const bool sure, is_sure(paths, *previous, options.yes));
    if (!sure)
        return {};
    COMMENTO_CHECK(change_over_to(paths, previous->at("name"), {"--name-it"}));
    say(tr("done; to take it back: commentoctl app rollback"));
    return {};
}

Result<void> remove(const Paths& paths, const Options& options) {
    COMMENTO_CHECK(require_root(fmt::format("commentoctl app remove {}", options.name)));
    COMMENTO_CHECK(require_no_changeover());
    return run_request(paths, {"app-request", {"remove", options.name}});
}

} // namespace

void add_app_verbs(CLI::App& group, Program& program, const Paths& paths) {
    auto options = std::make_shared<Options>();
    const auto add = [&](const char* name, const char* help, Result<void> (*body)(const Paths&, const Options&)) {
        return program.verb(
            name, help, [body, options, &paths] { return body(paths, *options); }, &group);
    };
    add("list", "Show the releases that are installed", list)->add_flag("--json", options->json, "For programs");
    CLI::App* upgrading = add("upgrade", "Change to another release, failing no request", upgrade);
    upgrading->add_option("source", options->source, "File or address; else what the settings name")
        ->type_name("SOURCE");
    upgrading->add_option("--sha256", options->sha256, "SHA-256 of the archive")->type_name("SUM");
    add("rollback", "Change back to the previous release", rollback)->add_flag("--yes", options->yes, "Do not ask");
    add("remove", "Remove a release that is not current", remove)
        ->add_option("name", options->name, "Release")
        ->type_name("NAME")
        ->required();
}

} // namespace commento
