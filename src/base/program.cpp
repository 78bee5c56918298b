#include "base/program.hpp"

#include "base/log.hpp"
#include "base/translate.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <fmt/format.h>

namespace commento {
namespace {

/// Puts the operator's language in place of the English that verbs and options were added with.
void translate(CLI::App& app) {
    app.description(translated(app.get_description()));
    for (CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
        option->description(translated(option->get_description()));
        option->group(tr("Options"));
    }
    for (CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
        verb->group(tr("Subcommands"));
        translate(*verb);
    }
}

/// The parser's own words, which name what they are about after a colon.
std::string describe(const CLI::ParseError& error) {
    [[maybe_unused]] static constexpr std::array kWords{msgid("The following argument was not expected"),
                                                        msgid("The following arguments were not expected")};
    const std::string text = error.what();
    const auto colon = std::min(text.find(": "), text.size());
    return translated(text.substr(0, colon)) + text.substr(colon);
}

} // namespace

std::string_view stack_version() { return COMMENTO_VERSION; }

Program::Program(std::string name, const std::string& purpose) : name_(std::move(name)), app_(purpose, name_) {
    // At most one: the parser's own "exactly one" would not name a word that is no verb.
    app_.require_subcommand(-1);
    app_.set_version_flag("--version", name_ + " " + COMMENTO_VERSION);
    app_.set_help_flag("-h,--help", msgid("Show this help and exit"));
    app_.get_formatter()->column_width(24);
    for (const char* label : {msgid("Usage"), msgid("OPTIONS"), msgid("Positionals"), msgid("SUBCOMMAND")})
        app_.get_formatter()->label(label, translated(label));
    app_.footer(tr("Manual page: man {}", name_));
}

CLI::App* Program::verb(const std::string& name, const std::string& help, Body body, CLI::App* parent) {
    CLI::App* verb = (parent == nullptr ? &app_ : parent)->add_subcommand(name, help);
    verb->final_callback([this, body = std::move(body)] { chosen_ = body; });
    return verb;
}

CLI::App* Program::group(const std::string& name, const std::string& help) {
    CLI::App* group = app_.add_subcommand(name, help);
    group->require_subcommand(-1);
    return group;
}

std::string Program::see_help() const { return tr("see {} --help", name_); }

void Program::print_candidates(int argc, char** argv) const {
    constexpr int kFirst = 2;
    const std::vector<std::string> words(argv + std::min(kFirst, argc), argv + argc);
    fmt::print("{}", to_lines(complete(app_, known_, words)));
}

int Program::run(int argc, char** argv) {
    constexpr std::string_view kComplete = "__complete";
    translate(app_);
    if (argc > 1 && argv[1] == kComplete) {
        print_candidates(argc, argv);
        return 0;
    }
    set_up_log(name_);
    // A peer that hangs up is an error of that write, not the end of the program.
    std::signal(SIGPIPE, SIG_IGN); // NOLINT(cert-err33-c)
    try {
        app_.parse(argc, argv);
        const auto done = chosen_ ? chosen_() : fail(ErrorCode::settings, tr("no verb is given"), see_help());
        if (done)
            return 0;
        report(done.error());
        return static_cast<int>(done.error().code);
    } catch (const CLI::Success& asked) {
        return app_.exit(asked);
    } catch (const CLI::ParseError& wrong) {
        report({ErrorCode::settings, describe(wrong), see_help()});
        return static_cast<int>(ErrorCode::settings);
    } catch (const std::exception& fault) {
        report({ErrorCode::internal, fault.what(), tr("this is a fault of the program: please report it")});
        return static_cast<int>(ErrorCode::internal);
    }
}

} // namespace commento
