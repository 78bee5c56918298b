#pragma once
// Problem documents of ACME authorities (RFC 7807; RFC 8555, 6.7).

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace commento {

constexpr std::string_view kAcmeErrors = "urn:ietf:params:acme:error:";

/// Type and detail as they are, then a line for each subproblem with its identifier; printable().
std::string describe_problem(const nlohmann::json& problem);

/// What the operator can do about a problem of that type; empty where that is not known.
std::string hint_for_problem(std::string_view type);

} // namespace commento
