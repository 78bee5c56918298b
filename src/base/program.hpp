#pragma once
// What every main() of ours is: a command line with verbs, one report of an error, one exit code.

#include "base/completion.hpp"
#include "base/error.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace commento {

/// The version of commento-stack.
std::string_view stack_version();

class Program {
  public:
    using Body = std::function<Result<void>()>;

    Program(std::string name, const std::string& purpose);

    /// Adds a verb below `parent` (the program itself when null) that runs `body`; returns it so that options can be
    /// added. Exactly one verb must be given on the command line.
    CLI::App* verb(const std::string& name, const std::string& help, Body body, CLI::App* parent = nullptr);

    /// Adds a word that only groups verbs, such as `cert` in `commentoctl cert renew`.
    CLI::App* group(const std::string& name, const std::string& help);

    /// Tells shells which words a verb takes beside options.
    void knows_words(const CLI::App* verb, std::vector<std::string> words) { known_[verb] = std::move(words); }

    /// Parses, runs the verb, reports its error once. Returns the exit status: 0 or an ErrorCode. Called as
    /// `NAME __complete WORD…` it prints what a shell may put in place of the last word (completion.hpp).
    int run(int argc, char** argv);

  private:
    std::string see_help() const;
    void print_candidates(int argc, char** argv) const;

    std::string name_;
    CLI::App app_;
    Body chosen_;
    KnownWords known_;
};

} // namespace commento
