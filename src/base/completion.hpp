#pragma once
// What a shell may complete on a command line of ours, from the same table of verbs and options that parses it.

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

namespace commento {

struct Candidate {
    std::string word;
    std::string help; ///< one line; may be empty
};

/// What a verb takes beside options, where there is a list of it.
using KnownWords = std::map<const CLI::App*, std::vector<std::string>>;

/// Candidates for the last of `words`, which may be empty; the words before it choose the verb. None where a value is
/// expected that only the operator knows.
std::vector<Candidate> complete(const CLI::App& program, const KnownWords& known,
                                const std::vector<std::string>& words);

/// A line for each: the word, a tab and its help.
std::string to_lines(const std::vector<Candidate>& candidates);

} // namespace commento
