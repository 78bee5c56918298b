// Preloaded into commento-cert by the tests of this folder (ld.so(8), LD_PRELOAD): sees every call that changes a file
// below one folder, writes each down, and at the one it is told to, kills the process or has the call fail.
//
//     FAULTS_FOLDER  the folder
//     FAULTS_LOG     where the calls are written: one a line, fields separated by tabs:
//                    number, name, result (0 or the errno), path, and what the name asks for (see the calls below)
//     FAULTS_AT      number of the call that something happens at, counted from 1
//     FAULTS_DO      kill-before, kill-after, or the errno to fail with
//     FAULTS_OPS     with an errno: names of the calls that fail, from that number on, separated by spaces
//     FAULTS_TIMES   with an errno: how many of these calls fail
//
// Programs that the process starts find none of these variables: what they do is not looked at.

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

std::string taken_from_environment(const char* name) {
    const char* value = std::getenv(name);
    std::string text = value != nullptr ? value : "";
    ::unsetenv(name);
    return text;
}

struct Plan {
    std::string folder = taken_from_environment("FAULTS_FOLDER");
    std::string log = taken_from_environment("FAULTS_LOG");
    int at = std::atoi(taken_from_environment("FAULTS_AT").c_str());
    std::string action = taken_from_environment("FAULTS_DO");
    std::string ops = " " + taken_from_environment("FAULTS_OPS") + " ";
    int times = std::atoi(taken_from_environment("FAULTS_TIMES").c_str());
    int error = std::atoi(action.c_str());

    static Plan& get() {
        static Plan plan;
        return plan;
    }
};

// Read before main(), so that programs started by the process do not inherit it.
[[gnu::constructor]] void read_plan() { Plan::get(); }

/// The function that this one stands before.
template <typename Function>
Function* real(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

std::string target_of(const std::string& link) {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::readlink(link.c_str(), buffer.data(), buffer.size());
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

std::string path_of(int fd) { return target_of("/proc/self/fd/" + std::to_string(fd)); }

std::string path_of(int folder, const char* path) {
    if (path[0] == '/')
        return std::filesystem::path(path).lexically_normal();
    const std::string base = folder == AT_FDCWD ? target_of("/proc/self/cwd") : path_of(folder);
    return std::filesystem::path(base + "/" + path).lexically_normal();
}

bool is_watched(const std::string& path) {
    const std::string& folder = Plan::get().folder;
    return !folder.empty() && (path == folder || path.starts_with(folder + "/"));
}

void die() { ::syscall(SYS_kill, ::getpid(), SIGKILL); }

void write_down(int number, std::string_view name, int result, const std::string& details) {
    static const int log = static_cast<int>(
        ::syscall(SYS_openat, AT_FDCWD, Plan::get().log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    const std::string line =
        std::to_string(number) + "\t" + std::string(name) + "\t" + std::to_string(result) + "\t" + details + "\n";
    ::syscall(SYS_write, log, line.data(), line.size());
}

/// The errno that the call is to fail with; 0 where it is to happen.
int error_due(int number, std::string_view name) {
    static std::atomic<int> failed = 0;
    const Plan& plan = Plan::get();
    if (plan.error == 0 || number < plan.at || plan.ops.find(" " + std::string(name) + " ") == std::string::npos)
        return 0;
    return ++failed <= plan.times ? plan.error : 0;
}

/// Has one call happen, or what is planned instead.
template <typename Perform>
auto pass(std::string_view name, const std::string& details, Perform perform) -> decltype(perform()) {
    static std::atomic<int> count = 0;
    const Plan& plan = Plan::get();
    const int number = ++count;
    if (number == plan.at && plan.action == "kill-before")
        die();
    if (const int error = error_due(number, name); error != 0) {
        write_down(number, name, error, details);
        errno = error;
        return -1;
    }
    const auto result = perform();
    const int error = result < 0 ? errno : 0;
    write_down(number, name, error, details);
    if (number == plan.at && plan.action == "kill-after")
        die();
    errno = error;
    return result;
}

template <typename Perform>
auto pass_path(std::string_view name, int folder, const char* path, const std::string& more, Perform perform) {
    const std::string whole = path_of(folder, path);
    return is_watched(whole) ? pass(name, whole + more, perform) : perform();
}

template <typename Perform>
auto pass_fd(std::string_view name, int fd, const std::string& more, Perform perform) {
    const std::string whole = path_of(fd);
    return is_watched(whole) ? pass(name, whole + more, perform) : perform();
}

std::string octal(mode_t mode) {
    std::string digits;
    for (mode &= 07777U; mode != 0; mode >>= 3U)
        digits.insert(digits.begin(), static_cast<char>('0' + (mode & 7U)));
    return "\t" + (digits.empty() ? "0" : digits);
}

std::string hexadecimal(const void* data, std::size_t size) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : std::string_view(static_cast<const char*>(data), size)) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

std::string content(off_t offset, const void* data, std::size_t size) {
    return "\t" + std::to_string(offset) + "\t" + hexadecimal(data, size);
}

/// open: mode that a new file gets; "trunc" where an old one is emptied.
template <typename Perform>
int pass_open(int folder, const char* path, int flags, mode_t mode, Perform perform) {
    if ((flags & O_ACCMODE) == O_RDONLY && (flags & (O_CREAT | O_TRUNC)) == 0)
        return perform();
    const std::string empties = (flags & O_TRUNC) != 0 ? "\ttrunc" : "\tkeep";
    return pass_path("open", folder, path, octal(mode) + empties, perform);
}

template <typename Perform>
auto pass_rename(int from_folder, const char* from, int to_folder, const char* to, Perform perform) {
    return pass_path("rename", to_folder, to, "\t" + path_of(from_folder, from), perform);
}

template <typename Perform>
auto pass_link(int from_folder, const char* from, int to_folder, const char* to, Perform perform) {
    return pass_path("link", to_folder, to, "\t" + path_of(from_folder, from), perform);
}

} // namespace

// The names are the C library's, and with them what is said of each in section 2 of the manual.
// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier,cppcoreguidelines-pro-type-vararg)
#define OPENED_WITH_MODE                                                                                               \
    mode_t mode = 0;                                                                                                   \
    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {                                                                        \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode = va_arg(rest, mode_t);                                                                                   \
        va_end(rest);                                                                                                  \
    }
#define NEXT(name) real<decltype(name)>(#name)

extern "C" {

int __open_2(const char* path, int flags);
int __open64_2(const char* path, int flags);
int __openat_2(int folder, const char* path, int flags);
int __openat64_2(int folder, const char* path, int flags);

int open(const char* path, int flags, ...) {
    OPENED_WITH_MODE
    return pass_open(AT_FDCWD, path, flags, mode, [&] { return NEXT(open)(path, flags, mode); });
}
int open64(const char* path, int flags, ...) {
    OPENED_WITH_MODE
    return pass_open(AT_FDCWD, path, flags, mode, [&] { return NEXT(open64)(path, flags, mode); });
}
int openat(int folder, const char* path, int flags, ...) {
    OPENED_WITH_MODE
    return pass_open(folder, path, flags, mode, [&] { return NEXT(openat)(folder, path, flags, mode); });
}
int openat64(int folder, const char* path, int flags, ...) {
    OPENED_WITH_MODE
    return pass_open(folder, path, flags, mode, [&] { return NEXT(openat64)(folder, path, flags, mode); });
}
int __open_2(const char* path, int flags) {
    return pass_open(AT_FDCWD, path, flags, 0, [&] { return NEXT(__open_2)(path, flags); });
}
int __open64_2(const char* path, int flags) {
    return pass_open(AT_FDCWD, path, flags, 0, [&] { return NEXT(__open64_2)(path, flags); });
}
int __openat_2(int folder, const char* path, int flags) {
    return pass_open(folder, path, flags, 0, [&] { return NEXT(__openat_2)(folder, path, flags); });
}
int __openat64_2(int folder, const char* path, int flags) {
    return pass_open(folder, path, flags, 0, [&] { return NEXT(__openat64_2)(folder, path, flags); });
}

/// close: only of files that could be written.
int close(int fd) {
    const auto perform = [&] { return NEXT(close)(fd); };
    const int flags = ::fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY ? pass_fd("close", fd, "", perform) : perform();
}

/// write: offset and data.
ssize_t write(int fd, const void* data, size_t size) {
    return pass_fd("write", fd, content(::lseek(fd, 0, SEEK_CUR), data, size),
                   [&] { return NEXT(write)(fd, data, size); });
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
    return pass_fd("write", fd, content(offset, data, size), [&] { return NEXT(pwrite)(fd, data, size, offset); });
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
    return pass_fd("write", fd, content(offset, data, size), [&] { return NEXT(pwrite64)(fd, data, size, offset); });
}
ssize_t writev(int fd, const iovec* parts, int count) {
    std::string data;
    for (int i = 0; i < count; ++i)
        data.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    return pass_fd("write", fd, content(::lseek(fd, 0, SEEK_CUR), data.data(), data.size()),
                   [&] { return NEXT(writev)(fd, parts, count); });
}

/// truncate: size.
int ftruncate(int fd, off_t size) noexcept {
    return pass_fd("truncate", fd, "\t" + std::to_string(size), [&] { return NEXT(ftruncate)(fd, size); });
}
int ftruncate64(int fd, off64_t size) noexcept {
    return pass_fd("truncate", fd, "\t" + std::to_string(size), [&] { return NEXT(ftruncate64)(fd, size); });
}

/// fsync: of a file or a folder.
int fsync(int fd) {
    return pass_fd("fsync", fd, "", [&] { return NEXT(fsync)(fd); });
}
int fdatasync(int fd) {
    return pass_fd("fsync", fd, "", [&] { return NEXT(fdatasync)(fd); });
}

/// rename, link: the path is the new name; the old one.
int rename(const char* from, const char* to) noexcept {
    return pass_rename(AT_FDCWD, from, AT_FDCWD, to, [&] { return NEXT(rename)(from, to); });
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
    return pass_rename(from_folder, from, to_folder, to,
                       [&] { return NEXT(renameat)(from_folder, from, to_folder, to); });
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned int flags) noexcept {
    return pass_rename(from_folder, from, to_folder, to,
                       [&] { return NEXT(renameat2)(from_folder, from, to_folder, to, flags); });
}
int link(const char* from, const char* to) noexcept {
    return pass_link(AT_FDCWD, from, AT_FDCWD, to, [&] { return NEXT(link)(from, to); });
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
    return pass_link(from_folder, from, to_folder, to,
                     [&] { return NEXT(linkat)(from_folder, from, to_folder, to, flags); });
}

/// symlink: what it leads to.
int symlink(const char* target, const char* path) noexcept {
    return pass_path("symlink", AT_FDCWD, path, std::string("\t") + target,
                     [&] { return NEXT(symlink)(target, path); });
}
int symlinkat(const char* target, int folder, const char* path) noexcept {
    return pass_path("symlink", folder, path, std::string("\t") + target,
                     [&] { return NEXT(symlinkat)(target, folder, path); });
}

/// unlink: of a file or an empty folder.
int unlink(const char* path) noexcept {
    return pass_path("unlink", AT_FDCWD, path, "", [&] { return NEXT(unlink)(path); });
}
int unlinkat(int folder, const char* path, int flags) noexcept {
    return pass_path("unlink", folder, path, "", [&] { return NEXT(unlinkat)(folder, path, flags); });
}
int rmdir(const char* path) noexcept {
    return pass_path("unlink", AT_FDCWD, path, "", [&] { return NEXT(rmdir)(path); });
}
int remove(const char* path) noexcept {
    return pass_path("unlink", AT_FDCWD, path, "", [&] { return NEXT(remove)(path); });
}

/// mkdir, chmod: mode.
int mkdir(const char* path, mode_t mode) noexcept {
    return pass_path("mkdir", AT_FDCWD, path, octal(mode), [&] { return NEXT(mkdir)(path, mode); });
}
int mkdirat(int folder, const char* path, mode_t mode) noexcept {
    return pass_path("mkdir", folder, path, octal(mode), [&] { return NEXT(mkdirat)(folder, path, mode); });
}
int chmod(const char* path, mode_t mode) noexcept {
    return pass_path("chmod", AT_FDCWD, path, octal(mode), [&] { return NEXT(chmod)(path, mode); });
}
int fchmod(int fd, mode_t mode) noexcept {
    return pass_fd("chmod", fd, octal(mode), [&] { return NEXT(fchmod)(fd, mode); });
}
int fchmodat(int folder, const char* path, mode_t mode, int flags) noexcept {
    return pass_path("chmod", folder, path, octal(mode), [&] { return NEXT(fchmodat)(folder, path, mode, flags); });
}

int chown(const char* path, uid_t owner, gid_t group) noexcept {
    return pass_path("chown", AT_FDCWD, path, "", [&] { return NEXT(chown)(path, owner, group); });
}
int fchown(int fd, uid_t owner, gid_t group) noexcept {
    return pass_fd("chown", fd, "", [&] { return NEXT(fchown)(fd, owner, group); });
}

} // extern "C"
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier,cppcoreguidelines-pro-type-vararg)
