#include "db/archive.hpp"

#include "base/printable.hpp"
#include "db/manifest.hpp"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 1U << 17U;
constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

struct FreeEntry {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

} // namespace

void CloseArchive::operator()(archive* handle) const { archive_free(handle); }

ArchiveWriter::ArchiveWriter(fs::path path, Fd file, ArchiveHandle archive)
    : path_(std::move(path)), file_(std::move(file)), archive_(std::move(archive)) {}

Result<ArchiveWriter> ArchiveWriter::create(const fs::path& path) {
    Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly));
    if (!file)
        return fail_errno(ErrorCode::storage, fmt::format("cannot create {}", path.string()), errno);
    ArchiveHandle archive(archive_write_new());
    archive_write_set_format_zip(archive.get());
    archive_write_set_options(archive.get(), "zip:compression=store");
    archive_write_set_bytes_in_last_block(archive.get(), 1); // no padding after the list of contents
    ArchiveWriter writer(path, std::move(file), std::move(archive));
    if (archive_write_open_fd(writer.archive_.get(), writer.file_.get()) != ARCHIVE_OK)
        return writer.failed();
    return writer;
}

Result<void> ArchiveWriter::begin(const std::string& part) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), part.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), kOwnerOnly);
    if (archive_write_header(archive_.get(), entry.get()) != ARCHIVE_OK)
        return failed();
    part_ = {part, 0, {}};
    sum_ = std::make_unique<Sha256>();
    return {};
}

Result<void> ArchiveWriter::write(std::string_view piece) {
    if (archive_write_data(archive_.get(), piece.data(), piece.size()) != static_cast<la_ssize_t>(piece.size()))
        return failed();
    part_.bytes += piece.size();
    sum_->add(piece);
    return {};
}

Result<PartFacts> ArchiveWriter::end() {
    if (archive_write_finish_entry(archive_.get()) != ARCHIVE_OK)
        return failed();
    part_.sha256 = sum_->finish();
    return part_;
}

Result<void> ArchiveWriter::finish() {
    if (archive_write_close(archive_.get()) != ARCHIVE_OK)
        return failed();
    if (::fsync(file_.get()) != 0)
        return fail_errno(ErrorCode::storage, fmt::format("cannot write {}", path_.string()), errno);
    return {};
}

tl::unexpected<Error> ArchiveWriter::failed() const {
    return fail_errno(ErrorCode::storage, fmt::format("cannot write {}", path_.string()), archive_errno(archive_.get()),
                      fmt::format("is there room left? df -h {}", path_.parent_path().string()));
}

ArchiveReader::ArchiveReader(fs::path path, Fd file)
    : path_(std::move(path)), file_(std::move(file)), archive_(archive_read_new()), buffer_(kPiece) {}

Result<ArchiveReader> ArchiveReader::open(const fs::path& path) {
    Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        return fail_errno(errno == EACCES ? ErrorCode::permission : ErrorCode::storage,
                          fmt::format("cannot read {}", path.string()), errno,
                          "commentoctl backup list shows what there is");
    ArchiveReader reader(path, std::move(file));
    archive_read_support_format_zip_seekable(reader.archive_.get());
    if (archive_read_open_fd(reader.archive_.get(), reader.file_.get(), kPiece) != ARCHIVE_OK)
        return reader.damaged();
    return reader;
}

Result<std::optional<std::string>> ArchiveReader::next() {
    archive_entry* entry = nullptr;
    const int got = archive_read_next_header(archive_.get(), &entry);
    if (got == ARCHIVE_EOF)
        return std::nullopt;
    const char* name = got == ARCHIVE_OK ? archive_entry_pathname(entry) : nullptr;
    if (name == nullptr)
        return damaged();
    return std::string(name);
}

Result<void> ArchiveReader::find(const std::string& part) {
    while (true) {
        COMMENTO_ASSIGN(const auto name, next());
        if (!name)
            return damaged(fmt::format("it has no part {}", part));
        if (*name == part)
            return {};
    }
}

Result<std::string_view> ArchiveReader::read() {
    const auto got = archive_read_data(archive_.get(), buffer_.data(), buffer_.size());
    if (got < 0)
        return damaged();
    return std::string_view(buffer_.data(), static_cast<std::size_t>(got));
}

Result<std::string> ArchiveReader::read_all(std::size_t limit) {
    std::string all;
    while (true) {
        COMMENTO_ASSIGN(const std::string_view piece, read());
        if (piece.empty())
            return all;
        if (all.size() + piece.size() > limit)
            return damaged(fmt::format("a part is larger than {} bytes", limit));
        all += piece;
    }
}

tl::unexpected<Error> ArchiveReader::damaged(std::string_view why) const {
    const char* text = archive_error_string(archive_.get());
    std::string reason(why);
    if (reason.empty())
        reason = text == nullptr ? "no details" : printable(text);
    return fail(ErrorCode::backup, fmt::format("{} is damaged, cut off or no backup: {}", path_.string(), reason),
                "take another one (commentoctl backup list), or this one's copy elsewhere");
}

Result<void> check_parts(const fs::path& path, const std::vector<PartFacts>& parts) {
    COMMENTO_ASSIGN(ArchiveReader reader, ArchiveReader::open(path));
    std::vector<PartFacts> found;
    while (true) {
        COMMENTO_ASSIGN(const auto name, reader.next());
        if (!name)
            break;
        if (*name == kManifestPart)
            continue;
        Sha256 sum;
        PartFacts part{*name, 0, {}};
        while (true) {
            COMMENTO_ASSIGN(const std::string_view piece, reader.read());
            if (piece.empty())
                break;
            part.bytes += piece.size();
            sum.add(piece);
        }
        part.sha256 = sum.finish();
        found.push_back(std::move(part));
    }
    if (found == parts)
        return {};
    return fail(ErrorCode::backup,
                fmt::format("{} was altered: its parts are not those that its manifest names", path.string()),
                "take another one (commentoctl backup list), or this one's copy elsewhere");
}

} // namespace commento
