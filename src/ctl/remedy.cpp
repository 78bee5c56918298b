#include "ctl/remedy.hpp"

#include <fmt/format.h>

namespace commento {
namespace {

/// As a shell reads it back.
std::string quoted(const std::string& word) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@,+";
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos)
        return word;
    std::string text = "'";
    for (const char c : word)
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

std::string line_of(const std::vector<std::string>& command) {
    std::string line = "sudo";
    for (const auto& word : command)
        line += ' ' + quoted(word);
    return line;
}

} // namespace

Remedy safely(std::vector<std::string> command) { return safely_all({std::move(command)}); }

Remedy safely_all(std::vector<std::vector<std::string>> commands) { return {std::move(commands), {}, true}; }

Remedy by_hand(std::vector<std::string> command) { return by_hand_all({std::move(command)}); }

Remedy by_hand_all(std::vector<std::vector<std::string>> commands) { return {std::move(commands), {}, false}; }

Remedy advise(std::string advice) { return {{}, std::move(advice), false}; }

std::string to_string(const Remedy& remedy) {
    std::string text;
    for (const auto& command : remedy.commands)
        text += fmt::format("{}{}", text.empty() ? "" : " && ", line_of(command));
    return text.empty() || remedy.advice.empty() ? text + remedy.advice : fmt::format("{}; {}", text, remedy.advice);
}

} // namespace commento
