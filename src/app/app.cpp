#include "app/app.hpp"

#include "app/changeover.hpp"
#include "app/check.hpp"
#include "app/health.hpp"
#include "app/install.hpp"
#include "app/ready.hpp"
#include "app/releases.hpp"
#include "base/files.hpp"
#include "base/program.hpp"
#include "config/env_file.hpp"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <string_view>
#include <unistd.h>

namespace commento {
namespace {

Result<void> run_install() {
    const Paths paths;
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    return install(paths, settings);
}

/// What the environment that systemd gives says; empty where that is nothing.
std::string_view text_from(const char* variable) {
    const char* text = std::getenv(variable); // NOLINT(concurrency-mt-unsafe)
    return text == nullptr ? "" : text;
}

/// A positive number; 0 where there is none.
int number_from(const char* variable) {
    const std::string_view digits = text_from(variable);
    int number = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return fault == std::errc() && end == digits.data() + digits.size() && number > 0 ? number : 0;
}

/// An archive that the command line names instead of the settings.
struct Archive {
    std::string file;
    std::string url;
    std::string sha256;
};

/// The settings as they would be with that archive in them; as they are where it names none.
Result<Settings> settings_with(const Paths& paths, const Archive& archive) {
    if (archive.file.empty() && archive.url.empty())
        return Settings::load(paths);
    COMMENTO_ASSIGN(std::string text, read_file(paths.settings()));
    text = with_assignment(text, "APP_ARCHIVE", archive.file);
    if (!archive.url.empty())
        text = with_assignment(text, "APP_URL", archive.url);
    text = with_assignment(text, "APP_SHA256", archive.sha256);
    Examined examined = Settings::examine(text, "", paths);
    if (!examined.faults.empty())
        return tl::unexpected(to_error(examined.faults, "nothing is changed"));
    return std::move(examined.settings);
}

Result<void> run_fetch(const Archive& archive) {
    const Paths paths;
    COMMENTO_ASSIGN(const Settings settings, settings_with(paths, archive));
    return fetch(paths, settings);
}

Result<void> run_list() {
    fmt::print("{}\n", describe_releases(Paths{}).dump());
    return {};
}

struct ReadyOptions {
    int within = static_cast<int>(kUsualPatience.count());
    std::string unit = "commento.service";
};

Result<void> run_ready(const ReadyOptions& options) {
    const int port = number_from("COMMENTO_PORT");
    if (port == 0)
        return fail(ErrorCode::settings, "COMMENTO_PORT is not in the environment, or is no port",
                    "commento.service calls this verb with what commento-app install wrote: start that unit");
    const int process = number_from("MAINPID");
    return wait_until_ready(port, path_of(text_from("COMMENTO_ORIGIN")),
                            process > 0 ? std::optional<pid_t>(process) : std::nullopt,
                            std::chrono::seconds(options.within), options.unit);
}

void add_fetch(Program& program) {
    auto archive = std::make_shared<Archive>();
    CLI::App* verb = program.verb("fetch", "Install the settings' release or another; switch nothing",
                                  [archive] { return run_fetch(*archive); });
    verb->add_option("--archive", archive->file, "File, instead of APP_ARCHIVE")->type_name("FILE");
    verb->add_option("--url", archive->url, "Address, instead of APP_URL")->type_name("ADDRESS");
    verb->add_option("--sha256", archive->sha256, "Of its archive, instead of APP_SHA256")->type_name("SUM");
}

void add_ready(Program& program) {
    auto options = std::make_shared<ReadyOptions>();
    CLI::App* verb = program.verb("ready", "Return when the application answers (commento.service)",
                                  [options] { return run_ready(*options); });
    verb->add_option("--within", options->within, "Give up after so many seconds")
        ->type_name("SECONDS")
        ->check(CLI::PositiveNumber.description(""));
    verb->add_option("--unit", options->unit, "Whose journal tells more")->type_name("UNIT");
}

void add_changeover(Program& program) {
    auto name = std::make_shared<std::string>();
    auto renames = std::make_shared<bool>(false);
    CLI::App* verb = program.verb("changeover", "Have commento.service run a release, failing no request", [=] {
        return change_over(Paths{}, *name, *renames ? Naming::rewritten : Naming::as_it_is);
    });
    verb->add_option("name", *name, "Release")->type_name("NAME")->required();
    verb->add_flag("--name-it", *renames, "Have the settings name it, too");
    program.verb("end-changeover", "Lead readers back from one that was cut off",
                 [] { return end_changeover(Paths{}); });
}

void add_remove(Program& program) {
    auto name = std::make_shared<std::string>();
    program.verb("remove", "Remove a release", [name] { return remove_release(Paths{}, *name); })
        ->add_option("name", *name, "Release")
        ->type_name("NAME")
        ->required();
}

} // namespace

int app_main(int argc, char** argv) {
    Program program("commento-app", "The comment server's application: its releases, and whether it answers");
    program.verb("install", "Install and switch to the release that the settings name", run_install);
    add_ready(program);
    add_fetch(program);
    add_changeover(program);
    program.verb("list", "Print the releases, as JSON", run_list);
    add_remove(program);
    program.verb("health", "Answer one HTTP request on stdin: whether all is well",
                 [] { return answer_health(Paths{}, STDIN_FILENO); });
    program.verb("check", "Fail where a part does not answer for 30 s", [] { return check_answers(Paths{}); });
    return program.run(argc, argv);
}

} // namespace commento
