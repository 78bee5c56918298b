#pragma once
// A backup's file: a zip archive of a few parts, stored as they are (each is compressed already). Zip, because its list
// of contents is written last: what was cut off has none, and its parts need no size beforehand, so none waits on disk.

#include "base/error.hpp"
#include "base/fd.hpp"
#include "net/digest.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct archive;

namespace commento {

struct CloseArchive {
    void operator()(archive* handle) const;
};
using ArchiveHandle = std::unique_ptr<archive, CloseArchive>;

struct PartFacts {
    std::string name;
    std::uint64_t bytes;
    std::string sha256;

    bool operator==(const PartFacts&) const = default;
};

/// Failures are ErrorCode::storage: the disk.
class ArchiveWriter {
  public:
    /// Makes the file, 0600; fails where there is one.
    static Result<ArchiveWriter> create(const std::filesystem::path& path);

    Result<void> begin(const std::string& part);
    Result<void> write(std::string_view piece);

    /// Ends the part that was begun.
    Result<PartFacts> end();

    /// Writes the list of contents and makes the file durable.
    Result<void> finish();

  private:
    ArchiveWriter(std::filesystem::path path, Fd file, ArchiveHandle archive);
    tl::unexpected<Error> failed() const;

    std::filesystem::path path_;
    Fd file_;
    ArchiveHandle archive_;
    PartFacts part_{};
    std::unique_ptr<Sha256> sum_;
};

/// Failures are ErrorCode::backup: the file is damaged; ErrorCode::storage where it can't be read at all.
class ArchiveReader {
  public:
    static Result<ArchiveReader> open(const std::filesystem::path& path);

    /// Goes on to the next part; the value is its name, or nothing at the end.
    Result<std::optional<std::string>> next();

    /// Goes on to the part of that name; fails where there is none after those read already.
    Result<void> find(const std::string& part);

    /// The next piece of the part, valid until the next call; empty at its end.
    Result<std::string_view> read();

    /// All of the part, of at most `limit` bytes.
    Result<std::string> read_all(std::size_t limit);

  private:
    ArchiveReader(std::filesystem::path path, Fd file);
    tl::unexpected<Error> damaged(std::string_view why = {}) const;

    std::filesystem::path path_;
    Fd file_;
    ArchiveHandle archive_;
    std::vector<char> buffer_;
};

/// Reads all of an archive; fails where parts, sizes and checksums are not exactly these. The manifest itself,
/// which can't hold its own checksum, is left out.
Result<void> check_parts(const std::filesystem::path& path, const std::vector<PartFacts>& parts);

} // namespace commento
