#include "app/release.hpp"

#include "base/fd.hpp"
#include "base/files.hpp"
#include "config/env_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <regex>
#include <sys/stat.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "commento";
constexpr std::size_t kShortDigits = 12;

fs::path marker_of(const fs::path& release) { return release / ".commento-stack"; }

bool has_program(const fs::path& release) {
    std::error_code missing;
    const auto status = fs::symlink_status(release / kProgram, missing);
    return fs::is_regular_file(status) && (status.permissions() & fs::perms::others_exec) != fs::perms::none;
}

std::string without_archive_suffix(const std::string& file) {
    static const std::regex kSuffix(R"((\.tar)?\.(gz|xz|zst|bz2|tar|zip|tgz|txz)$)", std::regex::icase);
    return std::regex_replace(file, kSuffix, "");
}

/// Keeps what is plain in a file name.
std::string plain(std::string name) {
    std::ranges::replace_if(
        name,
        [](unsigned char c) {
            return std::isalnum(c) == 0 &&
                   std::string_view("._+-").find(static_cast<char>(c)) == std::string_view::npos;
        },
        '-');
    name.erase(0, name.find_first_not_of('.'));
    return name.empty() ? "release" : name;
}

/// Everything in the folder's file system, at once: one call instead of an fsync for each of some hundred files.
Result<void> sync_tree(const fs::path& folder) {
    const Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened || ::syncfs(opened.get()) != 0)
        return fail_errno(ErrorCode::storage, fmt::format("cannot sync {}", folder.string()), errno);
    return {};
}

bool is_of_another_archive(const fs::path& release, const Marker& marker) {
    const auto present = read_marker(release);
    return present && present->sha256 != marker.sha256;
}

} // namespace

Result<std::string> state_of(int file) {
    struct stat status {};
    if (::fstat(file, &status) != 0)
        return fail_errno(ErrorCode::storage, "cannot read the archive's size", errno);
    return fmt::format("{}:{}:{}.{:09}", status.st_size, status.st_ino, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

std::optional<Marker> read_marker(const fs::path& release) {
    const auto text = read_file(marker_of(release));
    if (!text || !has_program(release))
        return std::nullopt;
    Marker marker;
    for (const auto& assignment : parse_env_file(*text, marker_of(release)).assignments) {
        if (assignment.key == "SHA256")
            marker.sha256 = assignment.value;
        if (assignment.key == "ARCHIVE")
            marker.archive = assignment.value;
        if (assignment.key == "STATE")
            marker.state = assignment.value;
        if (assignment.key == "ADDRESS")
            marker.address = assignment.value;
    }
    return marker;
}

Result<void> write_marker(const fs::path& release, const Marker& marker) {
    const std::string text = fmt::format(
        "{}\n{}\n{}\n{}\n", format_assignment("SHA256", marker.sha256), format_assignment("ARCHIVE", marker.archive),
        format_assignment("STATE", marker.state), format_assignment("ADDRESS", marker.address));
    return write_file(marker_of(release), text, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
}

std::optional<fs::path> find_release(const fs::path& releases, const std::function<bool(const Marker&)>& fits) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(releases, missing)) {
        // A leading dot is the mark of what is not finished.
        if (entry.path().filename().string().starts_with('.'))
            continue;
        const auto marker = read_marker(entry.path());
        if (marker && fits(*marker))
            return entry.path();
    }
    return std::nullopt;
}

std::string release_name(std::string_view address, std::string_view sha256) {
    const std::string path(address.substr(0, address.find_first_of("?#")));
    static const std::regex kReleasePage(R"(/([\w.+-]+)/releases/download/v?(\d[\w.+-]*)/[^/]*$)");
    static const std::regex kVersioned(R"(([A-Za-z][A-Za-z+]*)[-_]v?(\d+(\.\d+)+).*)");
    std::smatch match;
    if (std::regex_search(path, match, kReleasePage))
        return plain(fmt::format("{}-{}", match.str(1), match.str(2)));
    const std::string stem = without_archive_suffix(path.substr(path.rfind('/') + 1));
    if (std::regex_match(stem, match, kVersioned))
        return plain(fmt::format("{}-{}", match.str(1), match.str(2)));
    return plain(fmt::format("{}-{}", stem, sha256.substr(0, kShortDigits)));
}

Result<void> check_layout(const fs::path& content, const std::string& archive) {
    const auto lacks = [&](const char* what) {
        return fail(ErrorCode::release,
                    fmt::format("{} is no release of the application: it holds no {}", archive, what),
                    "a release for Linux holds the program `commento`, js/ and templates/; source archives do not");
    };
    if (!fs::is_regular_file(fs::symlink_status(content / kProgram)))
        return lacks("program `commento`");
    for (const char* folder : {"js", "templates"}) {
        if (!fs::is_directory(content / folder))
            return lacks(fmt::format("folder {}/", folder).c_str());
    }
    constexpr mode_t kExecutable = 0755;
    if (::chmod((content / kProgram).c_str(), kExecutable) != 0)
        return fail_errno(ErrorCode::storage, fmt::format("cannot make {} executable", kProgram), errno);
    return {};
}

Result<fs::path> publish(const fs::path& content, const fs::path& releases, const std::string& name,
                         const Marker& marker) {
    COMMENTO_CHECK(write_marker(content, marker));
    COMMENTO_CHECK(sync_tree(content));
    fs::path release = releases / name;
    if (is_of_another_archive(release, marker))
        release += fmt::format("-{}", marker.sha256.substr(0, kShortDigits));
    // Exchanging keeps `current` valid at every moment; the damaged release becomes what is cleared away.
    const unsigned int how = fs::exists(fs::symlink_status(release)) ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    if (::renameat2(AT_FDCWD, content.c_str(), AT_FDCWD, release.c_str(), how) != 0)
        return fail_errno(ErrorCode::storage, fmt::format("cannot make the release {}", release.string()), errno);
    COMMENTO_CHECK(sync_folder(releases));
    return release;
}

} // namespace commento
