#pragma once
// What every main() of ours is: a command line with verbs, one report of an error, one exit code.

#include "base/error.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

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

    /// Parses, runs the verb, reports its error once. Returns the exit status: 0 or an ErrorCode.
    int run(int argc, char** argv);

  private:
    std::string see_help() const;

    std::string name_;
    CLI::App app_;
    Body chosen_;
};

} // namespace commento
