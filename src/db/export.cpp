#include "db/export.hpp"

#include "base/files.hpp"
#include "db/archive.hpp"
#include "db/dump.hpp"
#include "db/host_files.hpp"
#include "db/shelf.hpp"

#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestHostPart = 1U << 28U; // thousands of certificates take less
constexpr const char* kHostPart = "host.tar";

/// Of the version that the manifest names, such as 15.18.
int major_version(const Manifest& manifest) {
    return std::atoi(manifest.postgresql.c_str()); // NOLINT(cert-err34-c): what is no number is version 0
}

/// Writes the part that `reader` has come to as a file.
Result<void> write_part(ArchiveReader& reader, const fs::path& file) {
    std::ofstream out(file, std::ios::binary);
    while (out) {
        COMMENTO_ASSIGN(const std::string_view piece, reader.read());
        if (piece.empty())
            out.close();
        else
            out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
        if (piece.empty() && out)
            return {};
    }
    return fail_errno(ErrorCode::storage, fmt::format("cannot write {}", file.string()), errno);
}

Result<void> write_parts(const fs::path& archive, const fs::path& folder) {
    COMMENTO_ASSIGN(ArchiveReader reader, ArchiveReader::open(archive));
    while (true) {
        COMMENTO_ASSIGN(const auto name, reader.next());
        if (!name)
            return {};
        // check_parts() has seen that there is nothing but what the manifest names; a name is still no path.
        COMMENTO_CHECK(write_part(reader, folder / fs::path(*name).filename()));
    }
}

Result<void> write_database(const fs::path& archive, int version, const fs::path& file) {
    COMMENTO_ASSIGN(ArchiveReader reader, ArchiveReader::open(archive));
    COMMENTO_CHECK(reader.find(kDumpPart));
    return write_sql(
        version, [&] { return reader.read(); }, file);
}

} // namespace

Result<void> export_backup(const Paths& paths, const std::string& name, const fs::path& folder) {
    const fs::path archive = file_of_backup(paths, name);
    COMMENTO_ASSIGN(const Manifest manifest, manifest_of(paths, name));
    COMMENTO_CHECK(check_parts(archive, manifest.parts));
    if (fs::exists(folder) && !fs::is_empty(folder))
        return fail(ErrorCode::settings, fmt::format("{} is there already, and not empty", folder.string()),
                    "name a new folder");
    COMMENTO_CHECK(make_folder(folder, S_IRWXU));
    COMMENTO_CHECK(write_parts(archive, folder));
    COMMENTO_CHECK(write_database(archive, major_version(manifest), folder / "database.sql"));
    const fs::path host = folder / kHostPart;
    if (!fs::exists(host))
        return {};
    COMMENTO_ASSIGN(const std::string tar, read_file(host, kLargestHostPart));
    return unpack_host_files(tar, folder / "host");
}

} // namespace commento
