#include "base/files.hpp"

#include "base/translate.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> failed(std::string_view action, const fs::path& path) {
    const int number = errno;
    const bool denied = number == EACCES || number == EPERM;
    std::string hint = denied ? tr("run as root, or check owner and mode of the file and its folders") : "";
    if (number == ENOSPC || number == EDQUOT)
        hint = tr("free space, or files, on the disk: df -h {0}; df -i {0}", path.parent_path().string());
    if (number == EIO)
        hint = tr("the disk itself has trouble: journalctl -k -p err; free what can be saved first");
    if (number == EROFS)
        hint = tr("the file system is mounted read-only: findmnt -T {}", path.parent_path().string());
    return fail_errno(denied ? ErrorCode::permission : ErrorCode::storage,
                      tr("cannot {} {}", translated(action), path.string()), number, std::move(hint));
}

Result<void> write_all(int fd, std::string_view content, const fs::path& path) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return failed(msgid("write"), path);
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

/// A name beside `path` that no other writer uses.
fs::path temporary_beside(const fs::path& path) {
    return path.parent_path() / fmt::format(".{}.{}.tmp", path.filename().string(), ::getpid());
}

Result<void> fill_temporary(const fs::path& temporary, std::string_view content, mode_t mode, gid_t group) {
    // A run that was killed may have left one, with an owner and a mode of its own.
    ::unlink(temporary.c_str());
    const Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file)
        return failed(msgid("create"), temporary);
    COMMENTO_CHECK(write_all(file.get(), content, temporary));
    if (group != kOwnGroup && ::fchown(file.get(), static_cast<uid_t>(-1), group) != 0)
        return failed(msgid("set the group of"), temporary);
    if (::fchmod(file.get(), mode) != 0)
        return failed(msgid("set the mode of"), temporary);
    if (::fsync(file.get()) != 0)
        return failed(msgid("sync"), temporary);
    return {};
}

Result<void> rename_durably(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0)
        return failed(msgid("replace"), to);
    return sync_folder(to.parent_path());
}

} // namespace

Result<std::string> read_file(const fs::path& path, std::size_t limit) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        return failed(msgid("open"), path);
    std::string content;
    std::array<char, 16384> buffer; // not cleared: that took a quarter of a look at many certificates (measured)
    while (true) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(msgid("read"), path);
        if (got == 0)
            return content;
        if (content.size() + static_cast<std::size_t>(got) > limit)
            return fail(ErrorCode::storage, tr("{} is larger than {} bytes", path.string(), limit));
        content.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

Result<void> write_file(const fs::path& path, std::string_view content, mode_t mode, gid_t group) {
    const fs::path temporary = temporary_beside(path);
    auto done =
        fill_temporary(temporary, content, mode, group).and_then([&] { return rename_durably(temporary, path); });
    if (!done)
        ::unlink(temporary.c_str());
    return done;
}

Result<void> make_file(const fs::path& path, std::string_view content, mode_t mode, std::time_t modified) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file)
        return failed(msgid("create"), path);
    COMMENTO_CHECK(write_all(file.get(), content, path));
    const std::array<timespec, 2> times{timespec{modified, 0}, timespec{modified, 0}};
    if (::fchmod(file.get(), mode) != 0 || ::futimens(file.get(), times.data()) != 0)
        return failed(msgid("set mode and time of"), path);
    return {};
}

Result<bool> update_file(const fs::path& path, std::string_view content, mode_t mode, gid_t group) {
    struct stat status {};
    const bool same_access = ::stat(path.c_str(), &status) == 0 && (status.st_mode & 07777U) == mode &&
                             (group == kOwnGroup || status.st_gid == group);
    if (same_access) {
        const auto present = read_file(path);
        if (present && *present == content)
            return false;
    }
    COMMENTO_CHECK(write_file(path, content, mode, group));
    return true;
}

Result<void> make_folder(const fs::path& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) == 0) {
        // mkdir's mode is cut by the umask; the caller's is meant as given.
        if (::chmod(path.c_str(), mode) != 0)
            return failed(msgid("set the mode of"), path);
        return sync_folder(path.parent_path());
    }
    if (errno == EEXIST)
        return {};
    if (errno != ENOENT || path.parent_path() == path)
        return failed(msgid("create the folder"), path);
    COMMENTO_CHECK(make_folder(path.parent_path(), mode));
    return make_folder(path, mode);
}

Result<void> remove_folder(const fs::path& path) {
    std::error_code fault;
    fs::remove_all(path, fault);
    if (fault)
        return fail(ErrorCode::storage, tr("cannot remove {}: {}", path.string(), fault.message()));
    return {};
}

Result<void> sync_folder(const fs::path& path) {
    const Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder)
        return failed(msgid("open the folder"), path);
    if (::fsync(folder.get()) != 0)
        return failed(msgid("sync the folder"), path);
    return {};
}

Result<void> point_link(const fs::path& link, const fs::path& target) {
    const fs::path temporary = temporary_beside(link);
    ::unlink(temporary.c_str());
    if (::symlink(target.c_str(), temporary.c_str()) != 0)
        return failed(msgid("create the link"), temporary);
    return rename_durably(temporary, link);
}

std::string link_target(const fs::path& link) {
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
    return size < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
}

Result<void> check_room(const fs::path& folder) {
    constexpr off_t kPlenty = 65536; // several times what a certificate with all that belongs to it takes
    constexpr mode_t kFolder = 0755;
    COMMENTO_CHECK(make_folder(folder, kFolder));
    const fs::path trial = temporary_beside(folder / "room");
    ::unlink(trial.c_str());
    const Fd file(::open(trial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file)
        return failed(msgid("create"), trial);
    const int fault = ::posix_fallocate(file.get(), 0, kPlenty);
    ::unlink(trial.c_str());
    errno = fault;
    return fault == 0 ? Result<void>() : failed(msgid("write"), trial);
}

void remove_temporaries(const fs::path& folder) {
    std::error_code fault;
    for (fs::directory_iterator entry(folder, fault), end; !fault && entry != end; entry.increment(fault)) {
        const std::string name = entry->path().filename();
        if (name.starts_with('.') && name.ends_with(".tmp"))
            ::unlink(entry->path().c_str());
    }
}

Result<Fd> lock_file(const fs::path& path) {
    Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!file)
        return failed(msgid("open the lock"), path);
    while (::flock(file.get(), LOCK_EX) != 0) {
        if (errno != EINTR)
            return failed(msgid("lock"), path);
    }
    return file;
}

} // namespace commento
