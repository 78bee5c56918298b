#include "base/program.hpp"

#include "base/log.hpp"
#include "base/translate.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <fmt/format.h>
#include <fmt/ranges.h>

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

/// The verb or group that the words of the command line lead to, as far as they are understood.
const CLI::App& place_in(const CLI::App& app) {
    const auto chosen = app.get_subcommands();
    return chosen.empty() || app.remaining_size() > 0 ? app : place_in(*chosen.back());
}

/// What an operator types to get there.
std::string words_to(const CLI::App& app) {
    return app.get_parent() == nullptr ? app.get_name() : words_to(*app.get_parent()) + " " + app.get_name();
}

/// As manual pages name it: NAME, or --set.
std::string label_of(const CLI::Option& option) {
    return option.get_positional() ? option.get_type_name() : option.get_name();
}

std::string describe_missing(const CLI::App& place) {
    const auto missing =
        place.get_options([](const CLI::Option* option) { return option->get_required() && option->count() == 0; });
    std::vector<std::string> labels(missing.size());
    std::ranges::transform(missing, labels.begin(), [](const CLI::Option* option) { return label_of(*option); });
    return tr("missing: {}", fmt::join(labels, ", "));
}

/// Which option the parser's words are about; null where they are about none.
const CLI::Option* option_named_in(const std::string& words, const CLI::App& place) {
    const auto named = place.get_options([&](const CLI::Option* option) {
        return words.starts_with(option->get_name() + ":") ||
               words.starts_with(fmt::format("Could not convert: {} =", option->get_name()));
    });
    return named.empty() ? nullptr : named.front();
}

std::string describe_count(const CLI::Option& option) {
    return option.count() > static_cast<std::size_t>(option.get_items_expected_max())
               ? tr("{} is given more than once", label_of(option))
               : tr("{} needs a value: {}", label_of(option), option.get_type_name());
}

std::string describe_value(const CLI::Option& option, const std::vector<std::string>& allowed) {
    const std::string value = option.results().empty() ? "" : option.results().back();
    return allowed.empty()
               ? tr("{} can't be \"{}\"", label_of(option), value)
               : tr("{} can't be \"{}\", only one of: {}", label_of(option), value, fmt::join(allowed, ", "));
}

/// Of words that no verb or option takes, the parser's own, which name them after a colon.
std::string describe_rest(const std::string& words) {
    [[maybe_unused]] static constexpr std::array kWords{msgid("The following argument was not expected"),
                                                        msgid("The following arguments were not expected")};
    const auto colon = std::min(words.find(": "), words.size());
    return translated(words.substr(0, colon)) + words.substr(colon);
}

/// The parser has English only, so its words tell no more than which option they are about.
std::string describe(const CLI::ParseError& error, const CLI::App& place, const KnownWords& known) {
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr)
        return describe_missing(place);
    const CLI::Option* option = option_named_in(error.what(), place);
    if (option != nullptr && dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
        return describe_count(*option);
    if (option == nullptr)
        return describe_rest(error.what());
    const auto allowed = known.find(&place);
    return describe_value(*option, option->get_positional() && allowed != known.end() ? allowed->second
                                                                                      : std::vector<std::string>());
}

} // namespace

std::string_view stack_version() { return COMMENTO_VERSION; }

Program::Program(std::string name, const std::string& purpose) : name_(std::move(name)), app_(purpose, name_) {
    // At most one: the parser's own "exactly one" would not name a word that is no verb.
    app_.require_subcommand(-1);
    app_.set_version_flag("--version", name_ + " " + COMMENTO_VERSION);
    app_.set_help_flag("-h,--help", msgid("Show this help and exit"));
    app_.get_formatter()->column_width(24);
    for (const char* label :
         {msgid("Usage"), msgid("OPTIONS"), msgid("Positionals"), msgid("REQUIRED"), msgid("SUBCOMMAND")})
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

std::string Program::see_help() const { return tr("see {} --help", words_to(place_in(app_))); }

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
        report({ErrorCode::settings, describe(wrong, place_in(app_), known_), see_help()});
        return static_cast<int>(ErrorCode::settings);
    } catch (const std::exception& fault) {
        report({ErrorCode::internal, fault.what(), tr("this is a fault of the program: please report it")});
        return static_cast<int>(ErrorCode::internal);
    }
}

} // namespace commento
