#pragma once
// `commentoctl doctor`: what the checks found, and how it is shown.

#include "base/error.hpp"
#include "base/program.hpp"
#include "ctl/check.hpp"
#include "ctl/table.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace commento {

struct Examination {
    Check check;
    Finding finding;
};

/// Runs the checks one after the other.
std::vector<Examination> examine(CheckedHost& host, const std::vector<Check>& checks);

/// A table, and below it what mends each warning and fault. Checks that were skipped only stand in it with `all`.
std::string to_text(const std::vector<Examination>& examined, Look look, bool all);

nlohmann::ordered_json to_json(const std::vector<Examination>& examined);

/// ErrorCode::unhealthy, naming the checks that found a fault; warnings are none.
Result<void> verdict(const std::vector<Examination>& examined);

void add_doctor_verb(Program& program, const Paths& paths);

} // namespace commento
