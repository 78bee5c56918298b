#include "ctl/doctor.hpp"

#include "base/printable.hpp"
#include "base/process.hpp"
#include "base/translate.hpp"
#include "ctl/actions.hpp"
#include "ctl/output.hpp"
#include "ctl/setup.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <memory>
#include <tuple>

namespace commento {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::vector<std::string> words;
    bool list = false;
    bool json = false;
    bool all = false;
    bool fix = false;
    bool yes = false;
};

const char* name_of(Level level) {
    switch (level) {
    case Level::ok:
        return msgid("ok");
    case Level::warning:
        return msgid("warning");
    case Level::fault:
        return msgid("fault");
    case Level::skipped:
        break;
    }
    return msgid("skipped");
}

Colour colour_of(Level level) {
    switch (level) {
    case Level::ok:
        return Colour::good;
    case Level::warning:
        return Colour::doubtful;
    case Level::fault:
        return Colour::bad;
    case Level::skipped:
        break;
    }
    return Colour::none;
}

bool is_bad(const Examination& each) {
    return each.finding.level == Level::warning || each.finding.level == Level::fault;
}

std::string remedies_of(const std::vector<Examination>& examined) {
    std::string text;
    for (const auto& each : examined) {
        if (is_bad(each) && !each.finding.remedy.is_empty())
            text += fmt::format("\n{}:\n    {}", each.check.name, to_string(each.finding.remedy));
    }
    return text;
}

std::string summary_of(const std::vector<Examination>& examined) {
    const auto count = [&](Level level) {
        return std::ranges::count_if(examined, [&](const auto& each) { return each.finding.level == level; });
    };
    return tr("{} checks: {} ok, {} warnings, {} faults, {} do not apply", examined.size(), count(Level::ok),
              count(Level::warning), count(Level::fault), count(Level::skipped));
}

/// False where it did not do what it should; the others are run all the same.
bool run_visibly(const std::vector<std::string>& command) {
    constexpr std::chrono::hours kLimit{2};
    const auto outcome = run_program(command, kLimit);
    if (!outcome) {
        say(outcome.error().message);
        return false;
    }
    if (!outcome->output.empty())
        say(harmless(outcome->output.substr(0, outcome->output.find_last_not_of('\n') + 1)));
    if (outcome->status != 0)
        say(tr("it ended with status {}", outcome->status));
    return outcome->status == 0;
}

/// Runs the safe remedies of those that agree; the same one only once. True when any was run.
Result<bool> mend(const std::vector<Examination>& examined, bool yes) {
    std::vector<std::string> seen;
    bool ran = false;
    for (const auto& each : examined) {
        const Remedy& remedy = each.finding.remedy;
        const std::string shown = to_string(remedy);
        if (!is_bad(each) || !remedy.is_safe || std::ranges::find(seen, shown) != seen.end())
            continue;
        seen.push_back(shown);
        COMMENTO_ASSIGN(const bool agreed, wants_to(yes, tr("{}: {}\nRun it?", each.check.name, shown)));
        if (!agreed)
            continue;
        say(shown);
        std::ignore = std::ranges::all_of(remedy.commands, run_visibly); // up to the first that fails, as && shows it
        ran = true;
    }
    return ran;
}

void list_checks(const std::vector<Check>& checks) {
    std::vector<std::vector<Cell>> rows;
    rows.reserve(checks.size());
    for (const auto& check : checks)
        rows.push_back({{check.name}, {translated(check.title)}});
    say(draw_table({tr("CHECK"), tr("LOOKS WHETHER")}, rows, look_of_stdout()));
}

/// Groups and single checks.
std::vector<std::string> known_words() {
    std::vector<std::string> words;
    for (const auto& check : all_checks()) {
        const std::string group = group_of(check);
        if (std::ranges::find(words, group) == words.end())
            words.push_back(group);
        words.emplace_back(check.name);
    }
    return words;
}

void show(const std::vector<Examination>& examined, const Options& options) {
    constexpr int kIndent = 2;
    say(options.json ? to_json(examined).dump(kIndent, ' ', false, Json::error_handler_t::replace)
                     : to_text(examined, look_of_stdout(), options.all));
}

Result<void> doctor(const Paths& paths, const Options& options) {
    COMMENTO_ASSIGN(const std::vector<Check> checks, checks_named(options.words));
    if (options.list) {
        list_checks(checks);
        return {};
    }
    if (options.json && options.fix)
        return fail(ErrorCode::settings, tr("--json and --fix do not go together"), tr("mend first, then look"));
    COMMENTO_CHECK(require_root(
        fmt::format("commentoctl doctor{}{}", options.words.empty() ? "" : " ", fmt::join(options.words, " "))));
    CheckedHost before(paths);
    std::vector<Examination> examined = examine(before, checks);
    show(examined, options);
    if (options.fix) {
        COMMENTO_ASSIGN(const bool ran, mend(examined, options.yes));
        if (ran) {
            CheckedHost after(paths);
            examined = examine(after, checks);
            show(examined, options);
        }
    }
    return verdict(examined);
}

} // namespace

std::vector<Examination> examine(CheckedHost& host, const std::vector<Check>& checks) {
    std::vector<Examination> examined;
    std::ranges::transform(checks, std::back_inserter(examined), [&](const Check& check) {
        return Examination{check, check.look(host)};
    });
    return examined;
}

std::string to_text(const std::vector<Examination>& examined, Look look, bool all) {
    std::vector<std::vector<Cell>> rows;
    for (const auto& [check, finding] : examined) {
        if (finding.level != Level::skipped || all)
            rows.push_back(
                {{check.name}, {translated(name_of(finding.level)), colour_of(finding.level)}, {finding.saw}});
    }
    return fmt::format("{}\n\n{}{}", draw_table({tr("CHECK"), tr("FOUND"), tr("SAW")}, rows, look),
                       summary_of(examined), remedies_of(examined));
}

Json to_json(const std::vector<Examination>& examined) {
    Json checks = Json::array();
    for (const auto& [check, finding] : examined)
        checks.push_back({{"check", check.name},
                          {"title", translated(check.title)},
                          {"found", name_of(finding.level)},
                          {"saw", finding.saw},
                          {"remedy", finding.remedy.is_empty() ? Json() : Json(to_string(finding.remedy))},
                          {"safe", finding.remedy.is_safe}});
    return {{"healthy", verdict(examined).has_value()}, {"checks", std::move(checks)}};
}

Result<void> verdict(const std::vector<Examination>& examined) {
    std::vector<std::string> faults;
    bool can_mend = false;
    for (const auto& each : examined) {
        if (each.finding.level != Level::fault)
            continue;
        faults.emplace_back(each.check.name);
        can_mend = can_mend || each.finding.remedy.is_safe;
    }
    if (faults.empty())
        return {};
    return fail(ErrorCode::unhealthy, tr("faults: {}", fmt::join(faults, ", ")),
                can_mend ? tr("sudo commentoctl doctor --fix runs what is safe, and asks before") : tr("see above"));
}

void add_doctor_verb(Program& program, const Paths& paths) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = program.verb("doctor", "Look for what is wrong, and say what mends it",
                                  [options, &paths] { return doctor(paths, *options); });
    verb->add_option("checks", options->words, "Groups or single checks; all without")->type_name("CHECK");
    program.knows_words(verb, known_words());
    verb->add_flag("--list", options->list, "Only name the checks");
    verb->add_flag("--json", options->json, "For programs");
    verb->add_flag("--all", options->all, "Show those that do not apply, too");
    verb->add_flag("--fix", options->fix, "Run what mends and is safe; asks before");
    verb->add_flag("-y,--yes", options->yes, "With --fix: do not ask");
}

} // namespace commento
