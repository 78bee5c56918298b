#include "app/install.hpp"

#include "app/environment.hpp"
#include "app/release.hpp"
#include "app/unpack.hpp"
#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/progress.hpp"
#include "net/digest.hpp"
#include "net/http.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kOpenFolder = 0755;
constexpr mode_t kOwnFolder = 0700;
constexpr std::uint64_t kLargestDownload = 1ULL << 29U;

fs::path downloads(const Paths& paths) { return paths.app() / "downloads"; }
fs::path part_of(const Paths& paths, const std::string& sha256) { return downloads(paths) / (sha256 + ".part"); }

/// Where a release is unpacked; the leading dot marks it as unfinished.
fs::path staging(const Paths& paths) { return paths.app_releases() / ".new"; }

bool is_leftover(const fs::path& folder, const std::string& name, const Paths& paths, const fs::path& part) {
    if (folder == paths.app())
        return name.starts_with('.') && name.ends_with(".tmp");
    if (folder == paths.app_releases())
        return name.starts_with('.');
    return folder / name != part;
}

/// Removes what a run that was killed left behind, but for the download that can be resumed.
Result<void> clear_leftovers(const Paths& paths, const fs::path& part) {
    for (const auto& folder : {paths.app(), paths.app_releases(), downloads(paths)}) {
        for (const auto& entry : fs::directory_iterator(folder)) {
            if (!is_leftover(folder, entry.path().filename().string(), paths, part))
                continue;
            std::error_code failed;
            fs::remove_all(entry.path(), failed);
            if (failed)
                return fail_errno(ErrorCode::storage, fmt::format("cannot remove {}", entry.path().string()),
                                  failed.value());
        }
    }
    return {};
}

/// sha256sum prints lower case; a person may have written it otherwise.
std::string wanted_sum(const Settings& settings) {
    std::string sum = settings.text("APP_SHA256");
    std::ranges::transform(sum, sum.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return sum;
}

Result<Fd> open_archive(const fs::path& path) {
    Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file)
        return file;
    const bool denied = errno == EACCES || errno == EPERM;
    return fail_errno(denied ? ErrorCode::permission : ErrorCode::storage,
                      fmt::format("cannot open the archive {}", path.string()), errno,
                      denied ? "the user commento-app must be able to read it, and to pass through its folders"
                             : "APP_ARCHIVE names the archive; without it, APP_URL is downloaded");
}

std::string file_name(const std::string& address) { return address.substr(address.rfind('/') + 1); }

tl::unexpected<Error> wrong_sum(const std::string& address, const std::string& wanted, const std::string& found) {
    return fail(ErrorCode::release,
                fmt::format("{} is not the archive that APP_SHA256 names\nits SHA-256: {}\nAPP_SHA256:  {}", address,
                            found, wanted),
                "take the SHA-256 from the project's own release page; if it is the same, the archive was damaged or "
                "altered on the way");
}

Result<void> download(const std::string& url, const fs::path& part) {
    Progress progress(fmt::format("downloading {}", file_name(url)));
    HttpClient client;
    auto done = client.download(url, part, kLargestDownload,
                                [&](std::uint64_t total, std::uint64_t now) { progress.show(total, now); });
    if (!done && done.error().hint.empty())
        done.error().hint = "check APP_URL; what came so far is kept, and another run goes on from there: "
                            "systemctl restart commento-app-install.service";
    return done;
}

/// The downloaded archive, whole and checked. What a broken download left is made use of, but not trusted.
Result<Fd> fetch(const std::string& url, const std::string& sha256, const fs::path& part) {
    const bool had_part = fs::exists(part);
    if (had_part) {
        COMMENTO_ASSIGN(Fd present, open_archive(part));
        COMMENTO_ASSIGN(const auto sum, sha256_of(present.get()));
        if (sum == sha256)
            return present;
    }
    spdlog::info("downloading {}{}", url, had_part ? ", going on where it broke off" : "");
    COMMENTO_CHECK(download(url, part));
    COMMENTO_ASSIGN(Fd file, open_archive(part));
    COMMENTO_ASSIGN(const auto sum, sha256_of(file.get()));
    if (sum == sha256)
        return file;
    fs::remove(part);
    if (!had_part)
        return wrong_sum(url, sha256, sum);
    spdlog::warn("the part of {} that was here does not fit the rest; downloading all of it", file_name(url));
    return fetch(url, sha256, part);
}

Result<fs::path> add_release(const Paths& paths, int archive, const std::string& address, const Marker& marker) {
    COMMENTO_CHECK(make_folder(staging(paths), kOpenFolder));
    COMMENTO_ASSIGN(const auto content, unpack(archive, file_name(address), staging(paths)));
    COMMENTO_CHECK(check_layout(content, file_name(address)));
    COMMENTO_ASSIGN(const auto release,
                    publish(content, paths.app_releases(), release_name(address, marker.sha256), marker));
    spdlog::info("installed {} from {}", release.filename().string(), address);
    return release;
}

Result<fs::path> release_from_url(const Paths& paths, const Settings& settings) {
    const std::string& url = settings.text("APP_URL");
    const std::string sha256 = wanted_sum(settings);
    if (auto present = find_release(paths.app_releases(), [&](const Marker& m) { return m.sha256 == sha256; }))
        return *std::move(present);
    COMMENTO_ASSIGN(const Fd archive, fetch(url, sha256, part_of(paths, sha256)));
    return add_release(paths, archive.get(), url, {sha256, "", "", url});
}

/// The release that came from a file that is gone by now, which it needs no more: the one that APP_SHA256 names, else
/// the current one.
std::optional<fs::path> release_from_lost(const Paths& paths, const std::string& archive, const std::string& wanted) {
    std::error_code unknown; // where it may not be looked for, it is not known to be gone
    if (fs::symlink_status(archive, unknown).type() != fs::file_type::not_found)
        return std::nullopt;
    const auto fits = [&](const Marker& marker) {
        return marker.archive == archive && (wanted.empty() || marker.sha256 == wanted);
    };
    const auto current = read_marker(paths.app_current());
    std::optional<fs::path> found;
    if (current && fits(*current))
        found = fs::canonical(paths.app_current());
    else if (!wanted.empty())
        found = find_release(paths.app_releases(), fits);
    if (found)
        spdlog::warn("APP_ARCHIVE {} is gone; the release that came from it stays", archive);
    return found;
}

Result<fs::path> release_from_file(const Paths& paths, const Settings& settings) {
    const std::string& path = settings.text("APP_ARCHIVE");
    const std::string wanted = settings.value("APP_SHA256").origin == "default" ? "" : wanted_sum(settings);
    auto archive = open_archive(path);
    if (!archive) {
        if (auto present = release_from_lost(paths, path, wanted))
            return *std::move(present);
        return tl::unexpected(std::move(archive).error());
    }
    COMMENTO_ASSIGN(const auto state, state_of(archive->get()));
    const auto is_same_file = [&](const Marker& marker) {
        return marker.archive == path && marker.state == state && (wanted.empty() || marker.sha256 == wanted);
    };
    if (auto present = find_release(paths.app_releases(), is_same_file))
        return *std::move(present);

    COMMENTO_ASSIGN(const auto sum, sha256_of(archive->get()));
    if (!wanted.empty() && sum != wanted)
        return wrong_sum(path, wanted, sum);
    const Marker marker{sum, path, state, ""};
    if (auto present = find_release(paths.app_releases(), [&](const Marker& m) { return m.sha256 == sum; })) {
        COMMENTO_CHECK(write_marker(*present, marker));
        return *std::move(present);
    }
    return add_release(paths, archive->get(), path, marker);
}

/// True when `current` pointed elsewhere before.
Result<bool> make_current(const Paths& paths, const fs::path& release) {
    const fs::path target = fs::path("releases") / release.filename();
    const std::string former = link_target(paths.app_current());
    if (former == target)
        return false;
    if (!former.empty())
        COMMENTO_CHECK(point_link(paths.app_previous(), former));
    COMMENTO_CHECK(point_link(paths.app_current(), target));
    spdlog::info("current release: {}", release.filename().string());
    return true;
}

/// Installs what the settings name, where it is not there yet; under the lock.
Result<fs::path> bring(const Paths& paths, const Settings& settings) {
    const bool from_url = settings.text("APP_ARCHIVE").empty();
    const fs::path part = part_of(paths, wanted_sum(settings));
    COMMENTO_CHECK(clear_leftovers(paths, part));
    auto release = from_url ? release_from_url(paths, settings) : release_from_file(paths, settings);
    // Refused content is of no use to anybody; a broken download is.
    const auto cleared = clear_leftovers(paths, release ? fs::path() : part);
    if (release && !cleared)
        return tl::unexpected(cleared.error());
    return release;
}

} // namespace

Result<Fd> lock_releases(const Paths& paths) {
    COMMENTO_CHECK(make_folder(paths.app_releases(), kOpenFolder));
    COMMENTO_CHECK(make_folder(downloads(paths), kOwnFolder));
    return lock_file(paths.app() / "lock");
}

Result<void> install(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(const Fd lock, lock_releases(paths));
    COMMENTO_ASSIGN(const fs::path release, bring(paths, settings));
    COMMENTO_ASSIGN(const bool switched, make_current(paths, release));
    COMMENTO_ASSIGN(const bool changed, update_environment(paths, settings));
    if (changed)
        spdlog::info("wrote {}", paths.app_environment().string());
    if (!switched && !changed)
        spdlog::info("nothing to do: {} is installed and current", release.filename().string());
    return {};
}

Result<void> fetch(const Paths& paths, const Settings& settings) {
    COMMENTO_ASSIGN(const Fd lock, lock_releases(paths));
    COMMENTO_ASSIGN(const fs::path release, bring(paths, settings));
    const fs::path target = fs::path("releases") / release.filename();
    return link_target(paths.app_next()) == target ? Result<void>() : point_link(paths.app_next(), target);
}

} // namespace commento
