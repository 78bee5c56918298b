#pragma once
#include <string>
#include <vector>

namespace commento {

/// What mends a finding: commands as they are, or words to the operator where no command can.
struct Remedy {
    std::vector<std::vector<std::string>> commands{};
    std::string advice{};
    bool is_safe = false; ///< loses nothing and hinders no reader: `doctor --fix` offers it

    bool is_empty() const { return commands.empty() && advice.empty(); }
};

/// A command that is safe.
Remedy safely(std::vector<std::string> command);
/// Several, one after the other.
Remedy safely_all(std::vector<std::vector<std::string>> commands);

/// A command that the operator has to judge.
Remedy by_hand(std::vector<std::string> command);
Remedy by_hand_all(std::vector<std::vector<std::string>> commands);

Remedy advise(std::string advice);

/// As it is shown: each command with sudo, to be pasted into a shell.
std::string to_string(const Remedy& remedy);

} // namespace commento
