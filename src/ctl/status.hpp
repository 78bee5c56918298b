#pragma once
// `commentoctl status`: what the facts mean, and how it is shown.

#include "base/error.hpp"
#include "ctl/facts.hpp"
#include "ctl/table.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace commento {

enum class Health { well, unwell, unknown };

/// One row of the table, one member of `parts` in the JSON.
struct Part {
    std::string name;
    Health health;
    std::string state;
    std::int64_t since; ///< seconds since 1970; 0 when not known
    std::string detail;
    std::string hint;             ///< what the operator can do about it, where it is not well
    nlohmann::ordered_json facts; ///< members that only this part has
};

struct Status {
    std::string address; ///< of the site; empty as long as the settings lack a DOMAIN
    std::vector<Part> parts;
};

Status assess(const Facts& facts);

/// What is unknown counts as healthy: it is unknown to this caller, not to the operator.
bool is_healthy(const Status& status);

std::string to_text(const Status& status, Look look);
nlohmann::ordered_json to_json(const Status& status);

/// ErrorCode::unhealthy, naming the parts that are not well and what to do about each.
Result<void> verdict(const Status& status);

} // namespace commento
