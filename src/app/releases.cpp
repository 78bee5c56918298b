#include "app/releases.hpp"

#include "app/install.hpp"
#include "base/files.hpp"
#include "config/env_file.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <regex>
#include <set>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace commento {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json version_in(const std::string& name) {
    static const std::regex kVersion(R"(-(\d+(\.\d+)+.*)$)");
    std::smatch match;
    return std::regex_search(name, match, kVersion) ? json(match.str(1)) : json();
}

std::string name_behind(const fs::path& link) { return fs::path(link_target(link)).filename(); }

std::set<std::string> steps_of(const fs::path& release) {
    std::set<std::string> names;
    std::error_code fault;
    for (const auto& entry : fs::directory_iterator(release / "db", fault)) {
        if (entry.path().extension() == ".sql")
            names.insert(entry.path().filename());
    }
    return names;
}

std::vector<std::string> unknown_steps(const fs::path& release, const std::set<std::string>& taken) {
    const auto known = steps_of(release);
    std::vector<std::string> unknown;
    std::ranges::set_difference(taken, known, std::back_inserter(unknown));
    return unknown;
}

std::uintmax_t size_of(const fs::path& folder) {
    std::uintmax_t bytes = 0;
    std::error_code fault;
    for (fs::recursive_directory_iterator entry(folder, fault), end; !fault && entry != end; entry.increment(fault)) {
        if (entry->is_regular_file(fault) && !entry->is_symlink(fault))
            bytes += entry->file_size(fault);
    }
    return bytes;
}

/// When its marker was written, which is the last of it.
std::int64_t time_of_install(const fs::path& release) {
    struct stat status {};
    return ::stat((release / ".commento-stack").c_str(), &status) == 0 ? status.st_mtim.tv_sec : 0;
}

std::vector<fs::path> whole_releases(const Paths& paths) {
    std::vector<fs::path> found;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(paths.app_releases(), missing)) {
        if (!entry.path().filename().string().starts_with('.') && read_marker(entry.path()))
            found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
}

std::string state_in(const Paths& paths, const std::string& name) {
    if (name == name_behind(paths.app_current()))
        return "current";
    return name == name_behind(paths.app_previous()) ? "previous" : "other";
}

Result<void> require_unused(const Paths& paths, const std::string& name) {
    if (name == name_behind(paths.app_current()))
        return fail(ErrorCode::release, fmt::format("{} is the current release", name),
                    "commentoctl app upgrade or rollback makes another one current");
    if (name == name_behind(paths.beside_release()))
        return fail(ErrorCode::release, fmt::format("{} is about to become the current release", name),
                    "systemctl status commento-app-changeover.service");
    return {};
}

/// A link that leads nowhere would name what is gone.
void forget(const fs::path& link, const std::string& name) {
    std::error_code ignored;
    if (name_behind(link) == name)
        fs::remove(link, ignored);
}

} // namespace

json describe_releases(const Paths& paths) {
    const auto taken = steps_of(paths.app_current());
    json all = json::array();
    for (const auto& release : whole_releases(paths)) {
        const std::string name = release.filename();
        const Marker marker = read_marker(release).value_or(Marker{});
        all.push_back({{"name", name},
                       {"version", version_in(name)},
                       {"sha256", marker.sha256},
                       {"source", marker.archive.empty() ? marker.address : marker.archive},
                       {"installed", time_of_install(release)},
                       {"bytes", size_of(release)},
                       {"state", state_in(paths, name)},
                       {"unknown_steps", unknown_steps(release, taken)}});
    }
    return all;
}

Result<void> remove_release(const Paths& paths, const std::string& name) {
    COMMENTO_ASSIGN(const Fd lock, lock_releases(paths));
    const auto present = whole_releases(paths);
    const auto release = std::ranges::find(present, paths.app_releases() / name);
    if (release == present.end())
        return fail(ErrorCode::release, fmt::format("there is no release {}", name),
                    "commentoctl app list shows what there is");
    COMMENTO_CHECK(require_unused(paths, name));
    // With the mark of what is unfinished it counts no more, and what a kill leaves of it the next install clears away.
    const fs::path leaving = paths.app_releases() / ("." + name);
    COMMENTO_CHECK(remove_folder(leaving));
    if (::rename(release->c_str(), leaving.c_str()) != 0)
        return fail_errno(ErrorCode::storage, fmt::format("cannot rename {}", release->string()), errno);
    COMMENTO_CHECK(sync_folder(paths.app_releases()));
    forget(paths.app_previous(), name);
    forget(paths.app_next(), name);
    COMMENTO_CHECK(remove_folder(leaving));
    spdlog::info("removed {}", name);
    return {};
}

bool names(const Settings& settings, const Marker& marker) {
    const std::string& archive = settings.text("APP_ARCHIVE");
    const std::string& sum = settings.text("APP_SHA256");
    const bool same_sum = std::ranges::equal(sum, marker.sha256, {}, [](unsigned char c) { return std::tolower(c); });
    const bool is_pinned = settings.value("APP_SHA256").origin != "default";
    return archive.empty() ? same_sum : archive == marker.archive && (same_sum || !is_pinned);
}

std::string naming(std::string text, const Settings& settings, const Marker& marker) {
    const auto say = [&](const char* key, const std::string& value) {
        if (settings.text(key) != value)
            text = with_assignment(text, key, value);
    };
    say("APP_ARCHIVE", marker.archive);
    if (marker.archive.empty() && !marker.address.empty())
        say("APP_URL", marker.address);
    // Beside a file it counts only where it is written down, and then the file is needed no more.
    if (settings.value("APP_SHA256").origin == "default")
        text = with_assignment(text, "APP_SHA256", marker.sha256);
    else
        say("APP_SHA256", marker.sha256);
    return text;
}

} // namespace commento
