#pragma once
// What a backup says of itself: manifest.json, its last part.

#include "base/error.hpp"
#include "db/archive.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

inline constexpr const char* kManifestPart = "manifest.json";
inline constexpr const char* kDumpPart = "database.dump";

/// What a table held when it was dumped.
struct TableFacts {
    std::string name;
    std::uint64_t rows;
    std::string checksum; ///< of all rows, whatever their order (tables.hpp)

    bool operator==(const TableFacts&) const = default;
};

struct Manifest {
    std::string made;        ///< RFC 3339, UTC
    std::string reason;      ///< scheduled, manual, before-restore …
    std::string domain;      ///< the site's
    std::string postgresql;  ///< version of the server
    std::string application; ///< release that was current; empty where none was
    std::string stack;       ///< version of commento-stack
    std::vector<PartFacts> parts;
    std::vector<TableFacts> tables;
};

std::string to_json(const Manifest& manifest);

/// ErrorCode::backup where the text is no manifest that this version understands.
Result<Manifest> parse_manifest(std::string_view text, const std::string& file);

} // namespace commento
