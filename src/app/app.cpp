#include "app/app.hpp"

#include "app/check.hpp"
#include "app/health.hpp"
#include "app/install.hpp"
#include "app/ready.hpp"
#include "base/program.hpp"

#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
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

Result<void> run_ready() {
    const int port = number_from("COMMENTO_PORT");
    if (port == 0)
        return fail(ErrorCode::settings, "COMMENTO_PORT is not in the environment, or is no port",
                    "commento.service calls this verb with what commento-app install wrote: start that unit");
    const int process = number_from("MAINPID");
    return wait_until_ready(port, path_of(text_from("COMMENTO_ORIGIN")),
                            process > 0 ? std::optional<pid_t>(process) : std::nullopt);
}

} // namespace

int app_main(int argc, char** argv) {
    Program program("commento-app", "The comment server's application: its releases, and whether it answers");
    program.verb("install", "Install and switch to the release that the settings name", run_install);
    program.verb("ready", "Return when the application answers (COMMENTO_PORT, COMMENTO_ORIGIN, MAINPID)", run_ready);
    program.verb("health", "Answer one HTTP request on standard input: whether application and database answer",
                 [] { return answer_health(Paths{}, STDIN_FILENO); });
    program.verb("check", "Fail where application, database or web front do not answer for 30 s",
                 [] { return check_answers(Paths{}); });
    return program.run(argc, argv);
}

} // namespace commento
