#pragma once
#include "base/error.hpp"
#include "db/manifest.hpp"
#include "db/postgres.hpp"

#include <vector>

namespace commento {

/// Rows and checksum of each table in schema public, by name, as the connection's transaction sees them. The checksum
/// is the sum of a hash of each row's text (md5, of it the first 64 bits), so it depends neither on the rows' order nor
/// on the server's version. It tells what was damaged or lost from what was not; it is no defence against a forger.
Result<std::vector<TableFacts>> facts_of_tables(Postgres& database);

/// Names the tables that differ, with what was expected and found; empty where none do.
std::string differences(const std::vector<TableFacts>& expected, const std::vector<TableFacts>& found);

} // namespace commento
