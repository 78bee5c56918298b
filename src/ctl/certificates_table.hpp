#pragma once
// What commento-cert prints as JSON, for people: times in the host's time zone, a dash for what is not there.

#include "base/error.hpp"
#include "ctl/table.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace commento {

/// The array of objects that a helper printed. ErrorCode::internal where it is something else.
Result<nlohmann::ordered_json> parse_objects(std::string_view text);

/// A row for each certificate.
std::string certificates_table(const nlohmann::ordered_json& certificates, Look look);

/// A table for each certificate, with a row for each fact.
std::string certificate_facts(const nlohmann::ordered_json& certificates, Look look);

/// A row for each account.
std::string accounts_table(const nlohmann::ordered_json& accounts, Look look);

} // namespace commento
