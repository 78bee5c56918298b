#include "ctl/setup.hpp"

#include "base/files.hpp"
#include "base/printable.hpp"
#include "base/translate.hpp"
#include "config/keys.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <istream>
#include <iterator>
#include <ostream>
#include <set>
#include <unistd.h>

namespace commento {
namespace {

constexpr mode_t kSecretsMode = 0640;

std::vector<Fault> faults_of(const std::vector<Wish>& wishes) {
    std::vector<Fault> faults;
    std::set<std::string> seen;
    for (const auto& wish : wishes) {
        if (auto problem = problem_with_assignment(wish.key, wish.value); !problem.empty())
            faults.push_back({wish.origin, 0, wish.key, std::move(problem)});
        else if (!seen.insert(wish.key).second)
            faults.push_back({wish.origin, 0, wish.key, tr("is given twice; keep one of the two")});
    }
    return faults;
}

/// The texts with the wish in them. One whose value is what counts already changes nothing.
void grant(const Wish& wish, const Settings& present, SettingsFiles& files) {
    const Key& key = *find_key(wish.key);
    const std::string_view wanted = wish.value.empty() ? key.standard : std::string_view(wish.value);
    if (present.text(wish.key) == wanted)
        return;
    if (key.secrecy == Secrecy::secret)
        files.secrets = with_assignment(files.secrets.value_or(""), wish.key, wish.value);
    else
        files.settings = with_assignment(files.settings, wish.key, wish.value);
}

std::string shown(const std::string& value) { return value.empty() ? tr("(not set)") : value; }

std::vector<std::string> changes_between(const Settings& before, const Settings& after) {
    std::vector<std::string> changes;
    for (const auto& key : all_keys()) {
        const std::string& old_value = before.text(key.name);
        const std::string& new_value = after.text(key.name);
        if (old_value == new_value)
            continue;
        changes.push_back(key.secrecy == Secrecy::secret
                              ? tr("{}: changed", key.name)
                              : fmt::format("{}: {} -> {}", key.name, shown(harmless(old_value)), shown(new_value)));
    }
    return changes;
}

std::string read_line(std::istream& input) {
    std::string line;
    std::getline(input, line);
    const auto begin = line.find_first_not_of(" \t\r");
    return begin == std::string::npos ? "" : line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

tl::unexpected<Error> input_ended() {
    return fail(ErrorCode::settings, tr("the input ended before the last answer; nothing is changed"));
}

/// What an answer agrees to.
std::string consequence_of(const Key& key) {
    return key.name != "EMAIL" ? ""
                               : tr("With it an account is made at the authority, which agrees to its terms: for Let's "
                                    "Encrypt,\nto the subscriber agreement at https://letsencrypt.org/repository/\n");
}

Result<std::string> ask(const Key& key, const std::string& present, std::istream& input, std::ostream& output) {
    output << translated(key.help) << '\n' << consequence_of(key);
    while (true) {
        output << key.name << (present.empty() ? ": " : fmt::format(" [{}]: ", present)) << std::flush;
        std::string answer = read_line(input);
        if (!input)
            return input_ended();
        if (answer.empty())
            answer = present;
        const std::string problem = answer.empty() ? tr("is needed") : problem_with(key, answer);
        if (problem.empty())
            return answer;
        output << fmt::format("  {} {}\n", answer.empty() ? std::string(key.name) : '"' + harmless(answer) + '"',
                              problem);
    }
}

} // namespace

Result<Wish> parse_wish(const std::string& assignment) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0)
        return fail(ErrorCode::settings, tr("--set: \"{}\" is not of the form KEY=VALUE", assignment));
    return Wish{"--set", assignment.substr(0, equals), assignment.substr(equals + 1)};
}

Result<Plan> plan_setup(const SettingsFiles& present, const std::vector<Wish>& wishes, const Paths& paths) {
    const auto before = examine(present, paths);
    std::vector<Fault> faults = faults_of(wishes);
    std::set<std::string> wrong;
    for (const auto& fault : faults)
        wrong.insert(fault.key);

    SettingsFiles files = present;
    for (const auto& wish : wishes) {
        if (!wrong.contains(wish.key))
            grant(wish, before.settings, files);
    }
    const auto after = examine(files, paths);
    // What is missing only because the wish for it is wrong is no fault of its own.
    std::ranges::copy_if(after.faults, std::back_inserter(faults),
                         [&](const Fault& fault) { return fault.line > 0 || !wrong.contains(fault.key); });
    if (!faults.empty())
        return tl::unexpected(to_error(faults, tr("nothing is changed; give the right values by --domain, --email or "
                                                  "--set KEY=VALUE")));
    return Plan{std::move(files), changes_between(before.settings, after.settings)};
}

Result<bool> write_plan(const Plan& plan, gid_t secrets_group, const Paths& paths) {
    COMMENTO_CHECK(make_folder(paths.settings().parent_path(), 0755));
    bool wrote = false;
    if (plan.files.secrets) {
        COMMENTO_ASSIGN(wrote, update_file(paths.secrets(), *plan.files.secrets, kSecretsMode, secrets_group));
    }
    COMMENTO_ASSIGN(const bool wrote_settings, update_file(paths.settings(), plan.files.settings, kSettingsMode));
    return wrote || wrote_settings;
}

Result<std::vector<Wish>> ask_wishes(const Settings& present, const Inspect& inspect, std::istream& input,
                                     std::ostream& output) {
    std::vector<Wish> wishes;
    for (const auto& key : all_keys()) {
        if (key.presence != Presence::mandatory)
            continue;
        const std::string name(key.name);
        for (bool is_taken = false; !is_taken;) {
            COMMENTO_ASSIGN(std::string answer, ask(key, present.text(name), input, output));
            const Wish wish{"answer", name, std::move(answer)};
            COMMENTO_ASSIGN(is_taken, inspect(wish));
            if (is_taken)
                wishes.push_back(wish);
        }
    }
    return wishes;
}

Result<bool> ask_consent(const std::string& question, std::istream& input, std::ostream& output) {
    while (true) {
        output << question << tr(" [Y/n] ") << std::flush;
        const std::string answer = read_line(input);
        if (!input)
            return input_ended();
        // rpmatch(3): yes and no as the operator's language has them, and in English.
        const int said = answer.empty() ? 1 : ::rpmatch(answer.c_str());
        if (said >= 0)
            return said == 1;
        output << "  " << tr("please answer y or n") << '\n';
    }
}

Result<bool> wants_to(bool said_yes, const std::string& question) {
    if (said_yes)
        return true;
    if (::isatty(STDIN_FILENO) == 0)
        return fail(ErrorCode::settings, tr("there is no terminal to ask on"), tr("add --yes"));
    return ask_consent(question, std::cin, std::cout);
}

} // namespace commento
