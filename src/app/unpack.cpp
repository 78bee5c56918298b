#include "app/unpack.hpp"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cctype>
#include <fmt/format.h>
#include <memory>
#include <string_view>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

struct Free {
    void operator()(archive* handle) const { archive_free(handle); }
};
using Handle = std::unique_ptr<archive, Free>;

constexpr mode_t kExecutable = 0755;
constexpr mode_t kPlain = 0644;
constexpr std::size_t kBlock = 1U << 16U;

/// Whether a path names the folder that is unpacked into: `.`, `./` and the like.
bool is_root(const fs::path& path) {
    return std::ranges::all_of(path, [](const fs::path& part) { return part.empty() || part == "."; });
}

/// What a file will take, holes included; 0 where the archive does not say (a zip may not).
std::uint64_t declared_size(archive_entry* entry) {
    return static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(entry), 0));
}

/// An entry's name as it may be shown on a terminal.
std::string printable(std::string_view name) {
    std::string shown(name);
    std::ranges::replace_if(
        shown, [](unsigned char c) { return std::isprint(c) == 0; }, '?');
    return shown;
}

class Unpacking {
  public:
    Unpacking(const std::string& name, fs::path folder, const UnpackLimits& limits)
        : name_(name), folder_(std::move(folder)), limits_(limits), reader_(archive_read_new()),
          writer_(archive_write_disk_new()) {
        // Not "all": some of libarchive's filters run programs.
        archive_read_support_filter_gzip(reader_.get());
        archive_read_support_filter_bzip2(reader_.get());
        archive_read_support_filter_xz(reader_.get());
        archive_read_support_filter_zstd(reader_.get());
        archive_read_support_format_tar(reader_.get());
        archive_read_support_format_zip(reader_.get());
        archive_write_disk_set_options(writer_.get(), ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                                                          ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                                          ARCHIVE_EXTRACT_SECURE_NODOTDOT);
    }

    Result<void> run(int file) {
        if (archive_read_open_fd(reader_.get(), file, kBlock) != ARCHIVE_OK)
            return damaged(reader_.get());
        for (std::size_t entries = 0;; ++entries) {
            archive_entry* entry = nullptr;
            const int got = archive_read_next_header(reader_.get(), &entry);
            if (got == ARCHIVE_EOF)
                break;
            if (got < ARCHIVE_WARN)
                return damaged(reader_.get());
            if (entries == limits_.entries)
                return refused(fmt::format("more than {} entries", limits_.entries));
            COMMENTO_CHECK(check(entry));
            COMMENTO_CHECK(write(entry));
        }
        // Sets the times of folders.
        if (archive_write_close(writer_.get()) < ARCHIVE_WARN)
            return not_written();
        return {};
    }

  private:
    Result<void> check(archive_entry* entry) const {
        const char* path = archive_entry_pathname(entry);
        if (path == nullptr || *path == '\0')
            return refused("an entry has no readable name");
        COMMENTO_CHECK(check_path(path, path));
        const auto type = archive_entry_filetype(entry);
        if (is_root(path) && type != AE_IFDIR)
            return refused(fmt::format("{} takes the place of the archive's folder", printable(path)));
        if (const char* target = archive_entry_hardlink(entry); target != nullptr)
            return check_path(target, fmt::format("{}, a link to {},", path, target));
        if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
            return refused(fmt::format("{} is a device, pipe or socket", printable(path)));
        if (declared_size(entry) > limits_.bytes - bytes_)
            return too_large(path);
        return {};
    }

    Result<void> check_path(const fs::path& path, const std::string& shown) const {
        if (path.is_absolute())
            return refused(fmt::format("{} is an absolute path", printable(shown)));
        if (std::ranges::find(path, "..") != path.end())
            return refused(fmt::format("{} leaves the archive's folder", printable(shown)));
        return {};
    }

    Result<void> write(archive_entry* entry) {
        const std::string path = archive_entry_pathname(entry);
        archive_entry_copy_pathname(entry, (folder_ / path).c_str());
        if (const char* target = archive_entry_hardlink(entry); target != nullptr)
            archive_entry_copy_hardlink(entry, (folder_ / target).c_str());
        const bool executable = archive_entry_filetype(entry) == AE_IFDIR || (archive_entry_perm(entry) & S_IXUSR) != 0;
        archive_entry_set_perm(entry, executable ? kExecutable : kPlain);

        if (archive_write_header(writer_.get(), entry) < ARCHIVE_WARN)
            return not_written();
        COMMENTO_CHECK(write_data(path, declared_size(entry)));
        if (archive_write_finish_entry(writer_.get()) < ARCHIVE_WARN)
            return not_written();
        return {};
    }

    Result<void> write_data(const std::string& path, std::uint64_t end) {
        const void* block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        while (true) {
            const int got = archive_read_data_block(reader_.get(), &block, &size, &offset);
            if (got == ARCHIVE_EOF)
                break;
            if (got < ARCHIVE_WARN)
                return damaged(reader_.get());
            end = std::max(end, static_cast<std::uint64_t>(offset) + size);
            if (end > limits_.bytes - bytes_)
                return too_large(path);
            if (archive_write_data_block(writer_.get(), block, size, offset) < ARCHIVE_WARN)
                return not_written();
        }
        bytes_ += end;
        return {};
    }

    tl::unexpected<Error> refused(const std::string& why) const {
        return fail(ErrorCode::release, fmt::format("{}: {}; it is not unpacked", name_, why),
                    "get the archive from the project's own release page, and compare its SHA-256");
    }

    tl::unexpected<Error> too_large(const std::string& path) const {
        return refused(fmt::format("more than {} MiB unpacked, reached at {}", limits_.bytes >> 20U, printable(path)));
    }

    tl::unexpected<Error> damaged(archive* reader) const {
        const char* text = archive_error_string(reader);
        return fail(ErrorCode::release,
                    fmt::format("{} is damaged, truncated or no archive: {}", name_,
                                text == nullptr ? "no details" : printable(text)),
                    "get it again, and compare its size and SHA-256");
    }

    /// An archive that contradicts itself (a link through a link, a file below a file) or a disk that fails.
    tl::unexpected<Error> not_written() const {
        const int number = archive_errno(writer_.get());
        const bool disk = number == ENOSPC || number == EDQUOT || number == EIO || number == EROFS;
        return fail(disk ? ErrorCode::storage : ErrorCode::release,
                    fmt::format("{}: cannot unpack: {}", name_, printable(archive_error_string(writer_.get()))),
                    disk ? fmt::format("check the disk: df -h {}", folder_.string())
                         : "get the archive from the project's own release page, and compare its SHA-256");
    }

    const std::string& name_;
    fs::path folder_;
    UnpackLimits limits_;
    Handle reader_;
    Handle writer_;
    std::uint64_t bytes_ = 0;
};

/// The folder itself, or the only thing in it when that is a folder.
fs::path content_of(const fs::path& folder) {
    fs::directory_iterator entry(folder);
    if (entry == fs::directory_iterator())
        return folder;
    const fs::path first = entry->path();
    const bool is_alone = ++entry == fs::directory_iterator();
    return is_alone && fs::is_directory(fs::symlink_status(first)) ? first : folder;
}

bool is_below(const fs::path& path, const fs::path& folder) {
    return std::ranges::mismatch(folder, path).in1 == folder.end();
}

/// Real resolution, not a look at the text: a link may go through another one.
bool stays_inside(const fs::path& link, const fs::path& content) {
    std::error_code missing;
    const fs::path target = fs::canonical(link, missing);
    return !missing && fs::read_symlink(link).is_relative() && is_below(target, content);
}

/// Links are judged when all is there. Until then libarchive writes through none of them.
Result<void> settle(const fs::path& content, const std::string& name) {
    for (const auto& entry : fs::recursive_directory_iterator(content)) {
        if (entry.is_symlink() && !stays_inside(entry.path(), content))
            return fail(ErrorCode::release,
                        fmt::format("{}: the link {} leaves the release, or points to nothing", name,
                                    printable(entry.path().lexically_relative(content).string())),
                        "get the archive from the project's own release page, and compare its SHA-256");
        // Folders that the archive only implies were made under this process's umask.
        if (!entry.is_symlink() && entry.is_directory())
            fs::permissions(entry.path(), fs::perms(kExecutable));
    }
    fs::permissions(content, fs::perms(kExecutable));
    return {};
}

} // namespace

Result<fs::path> unpack(int archive, const std::string& name, const fs::path& folder, const UnpackLimits& limits) {
    // libarchive writes through no link at all, so not through one on the way to the folder either.
    const fs::path real = fs::canonical(folder);
    COMMENTO_CHECK(Unpacking(name, real, limits).run(archive));
    const fs::path content = content_of(real);
    COMMENTO_CHECK(settle(content, name));
    return content;
}

} // namespace commento
