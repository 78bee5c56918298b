#pragma once
// What was told of a unit, so that it is not told again and again: a file for each unit in Paths::notify().

#include "base/error.hpp"
#include "base/paths.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace commento {

/// The same is not told again by the same way before this has passed; nor are more than kMostErrors different errors of
/// one unit within it, so that one whose every failure reads differently is no flood.
inline constexpr std::int64_t kPause = std::int64_t{6} * 3600;
inline constexpr int kMostErrors = 4;

struct Told {
    std::string error; ///< key_of() what was told
    std::string way;   ///< Way::name
    std::int64_t at;   ///< seconds since 1970
};

struct Record {
    std::int64_t since = 0;   ///< the first of the failures on end; 0: it is well
    int failures = 0;         ///< their number
    std::string invocation{}; ///< the last run that was counted
    std::vector<Told> told{};
};

/// For the lock, and for records while the disk is full; gone with the next boot.
std::filesystem::path fleeting_folder(const Paths& paths);

/// An empty one where there is none, or where it can't be understood.
Record load_record(const Paths& paths, const std::string& unit);

/// Durably, without what was told longer ago than it matters; where the disk takes nothing, until the next boot. While
/// the unit is not well, a file UNIT.failing is there, too, which commento-notify-well@UNIT.service looks for.
Result<void> save_record(const Paths& paths, const std::string& unit, Record record, std::int64_t now);

/// Errors that differ only in numbers (times, ports, identifiers) are one: a digest of what is left.
std::string key_of(const std::string& result, int exit_status, const std::string& message);

/// Whether that error is to be told now by that way.
bool is_due(const Record& record, const std::string& way, const std::string& error, std::int64_t now);

/// Whether anything at all was told by that way within kPause.
bool was_told(const Record& record, const std::string& way, std::int64_t now);

/// The ways by which the present failures were told: they shall tell the end of them, too.
std::vector<std::string> ways_that_told(const Record& record);

} // namespace commento
