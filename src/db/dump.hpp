#pragma once
// pg_dump(1) and pg_restore(1), of the server's own major version, which is told to each.

#include "base/error.hpp"
#include "db/archive.hpp"
#include "db/postgres.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace commento {

/// Dumps the application's database, as `snapshot` (pg_export_snapshot()) sees it, into the part of `archive` that was
/// begun. Compressed by zstd where the server's tools have it (from version 16 on), else by zlib.
Result<void> dump(const DatabaseServer& server, int version, const std::string& snapshot, ArchiveWriter& archive);

/// Gives a dump piece by piece; an empty one ends it.
using DumpSource = std::function<Result<std::string_view>()>;

/// Puts a dump into `database`, which is empty; all that it makes belongs to the application's role. The first fault
/// ends it.
Result<void> put_back(const DatabaseServer& server, int version, const std::string& database, const DumpSource& dump);

/// Writes a dump as SQL, which needs no server.
Result<void> write_sql(int version, const DumpSource& dump, const std::filesystem::path& file);

} // namespace commento
