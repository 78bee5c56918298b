#include "base/completion.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace commento {
namespace {

const CLI::App* verb_named(const CLI::App& app, const std::string& word) {
    for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (verb->get_name() == word)
            return verb;
    }
    return nullptr;
}

const CLI::Option* option_named(const CLI::App& app, const std::string& word) {
    for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
        if (option->check_name(word) && !option->get_positional())
            return option;
    }
    return nullptr;
}

bool takes_value(const CLI::Option* option) { return option != nullptr && option->get_items_expected_max() > 0; }

void offer(std::vector<Candidate>& candidates, const std::string& word, const std::string& help,
           const std::string& begun) {
    if (word.starts_with(begun))
        candidates.push_back({word, help});
}

} // namespace

std::vector<Candidate> complete(const CLI::App& program, const KnownWords& known,
                                const std::vector<std::string>& words) {
    const std::string begun = words.empty() ? "" : words.back();
    const CLI::App* app = &program;
    const CLI::Option* before = nullptr; // an option whose value comes next
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        const CLI::Option* option = option_named(*app, words[i]);
        before = before == nullptr && takes_value(option) ? option : nullptr;
        if (const CLI::App* verb = verb_named(*app, words[i]))
            app = verb;
    }
    std::vector<Candidate> candidates;
    if (before != nullptr)
        return candidates;
    for (const CLI::App* verb : app->get_subcommands([](const CLI::App*) { return true; }))
        offer(candidates, verb->get_name(), verb->get_description(), begun);
    if (const auto found = known.find(app); found != known.end()) {
        for (const auto& word : found->second)
            offer(candidates, word, "", begun);
    }
    if (!begun.starts_with('-'))
        return candidates;
    for (const CLI::Option* option : app->get_options([](const CLI::Option*) { return true; })) {
        for (const auto& name : option->get_lnames())
            offer(candidates, "--" + name, option->get_description(), begun);
        for (const auto& name : option->get_snames())
            offer(candidates, "-" + name, option->get_description(), begun);
    }
    return candidates;
}

std::string to_lines(const std::vector<Candidate>& candidates) {
    std::string lines;
    for (const auto& [word, help] : candidates)
        lines += fmt::format("{}\t{}\n", word, help);
    return lines;
}

} // namespace commento
