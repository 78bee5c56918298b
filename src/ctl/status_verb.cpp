#include "ctl/status_verb.hpp"

#include "base/translate.hpp"
#include "ctl/output.hpp"
#include "ctl/status.hpp"

#include <memory>
#include <poll.h>
#include <unistd.h>

namespace commento {
namespace {

Result<void> print_status_json(const Paths& paths) {
    const Status status = assess(find_facts(paths));
    constexpr int kIndent = 2;
    say(to_json(status).dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace));
    return verdict(status);
}

/// ECMA-48: to the first place, all away. Where that is not obeyed, a blank line.
std::string before_next() { return is_obeyed() ? "\x1b[H\x1b[2J\x1b[3J" : "\n"; }

/// The screen is drawn anew until `q`, the end of input, or Ctrl-C.
Result<void> watch(const Paths& paths) {
    constexpr int kPeriod = 2000; // ms; as watch(1)
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
        return fail(ErrorCode::settings, tr("--watch needs a terminal"),
                    tr("commentoctl status --json is for programs"));
    while (true) {
        const Status status = assess(find_facts(paths));
        say(before_next() + to_text(status, look_of_stdout()) + "\n\n" + tr("q and Enter: end"));
        pollfd typed{STDIN_FILENO, POLLIN, 0};
        if (::poll(&typed, 1, kPeriod) <= 0)
            continue;
        char key = 0;
        if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q')
            return verdict(status);
    }
}

struct Options {
    bool json = false;
    bool watch = false;
};

} // namespace

Result<void> print_status(const Paths& paths) {
    const Status status = assess(find_facts(paths));
    say(to_text(status, look_of_stdout()));
    return verdict(status);
}

void add_status_verb(Program& program, const Paths& paths) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = program.verb("status", "Show each part and whether it is well", [options, &paths] {
        if (options->watch)
            return watch(paths);
        return options->json ? print_status_json(paths) : print_status(paths);
    });
    verb->add_flag("--json", options->json, "For programs");
    verb->add_flag("--watch", options->watch, "Go on showing it, until q");
}

} // namespace commento
