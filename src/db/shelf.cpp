#include "db/shelf.hpp"

#include "base/clock.hpp"
#include "base/files.hpp"
#include "db/archive.hpp"
#include "db/retention.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEnding = ".zip";
constexpr const char* kMark = ".verified";
constexpr const char* kUnfinished = ".unfinished";
constexpr std::size_t kLargestManifest = 1U << 20U;
constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

fs::path mark_of(const Paths& paths, const std::string& name) { return paths.backups() / (name + kMark); }

nlohmann::ordered_json facts_of(const Paths& paths, const std::string& name) {
    nlohmann::ordered_json entry{{"name", name}, {"bytes", fs::file_size(file_of_backup(paths, name))}};
    entry["verified"] = nullptr;
    if (const auto mark = read_file(mark_of(paths, name)))
        entry["verified"] = mark->substr(0, mark->find('\n'));
    const auto manifest = manifest_of(paths, name);
    if (!manifest) {
        entry["fault"] = manifest.error().message;
        return entry;
    }
    entry["fault"] = nullptr;
    entry.update(nlohmann::ordered_json::parse(to_json(*manifest)));
    return entry;
}

} // namespace

Result<Fd> lock_backups(const Paths& paths) { return lock_file(paths.backups() / "lock"); }

Result<std::optional<Fd>> try_lock_backups(const Paths& paths) {
    const fs::path path = paths.backups() / "lock";
    Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly));
    if (!file)
        return fail_errno(ErrorCode::storage, fmt::format("cannot open the lock {}", path.string()), errno);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
        return std::nullopt;
    return file;
}

std::vector<std::string> backups_in(const Paths& paths) {
    std::vector<std::string> names;
    std::error_code fault;
    for (const auto& entry : fs::directory_iterator(paths.backups(), fault)) {
        if (entry.path().extension() == kEnding && time_of_backup(entry.path().stem()) >= 0)
            names.push_back(entry.path().stem());
    }
    std::ranges::sort(names);
    return names;
}

std::vector<std::string> newest_backups(const Paths& paths) {
    auto names = backups_in(paths);
    std::ranges::reverse(names);
    return names;
}

fs::path file_of_backup(const Paths& paths, const std::string& name) { return paths.backups() / (name + kEnding); }

fs::path unfinished_backup(const Paths& paths, const std::string& name) {
    return paths.backups() / (name + kUnfinished);
}

Result<std::string> find_backup(const Paths& paths, const std::string& name) {
    const auto names = backups_in(paths);
    const std::string wanted = name.ends_with(kEnding) ? name.substr(0, name.size() - 4) : name;
    if (wanted == "latest" && !names.empty())
        return names.back();
    if (std::ranges::find(names, wanted) != names.end())
        return wanted;
    return fail(ErrorCode::backup, fmt::format("there is no backup {} in {}", wanted, paths.backups().string()),
                "commentoctl backup list shows what there is; one from elsewhere is copied into that folder first");
}

Result<Manifest> manifest_of(const Paths& paths, const std::string& name) {
    const fs::path file = file_of_backup(paths, name);
    COMMENTO_ASSIGN(ArchiveReader reader, ArchiveReader::open(file));
    COMMENTO_CHECK(reader.find(kManifestPart));
    COMMENTO_ASSIGN(const std::string text, reader.read_all(kLargestManifest));
    return parse_manifest(text, file.string());
}

std::string last_verified(const Paths& paths) {
    for (const auto& name : newest_backups(paths)) {
        if (fs::exists(mark_of(paths, name)))
            return name;
    }
    return {};
}

std::int64_t time_of_verification(const Paths& paths, const std::string& name) {
    struct stat status {};
    return ::stat(mark_of(paths, name).c_str(), &status) == 0 ? status.st_mtime : 0;
}

Result<void> mark_verified(const Paths& paths, const std::string& name) {
    return write_file(mark_of(paths, name), utc_time(now()) + "\n", kOwnerOnly);
}

Result<void> remove_backup(const Paths& paths, const std::string& name) {
    for (const auto& file : {mark_of(paths, name), file_of_backup(paths, name)}) {
        std::error_code fault;
        fs::remove(file, fault);
        if (fault)
            return fail_errno(ErrorCode::storage, fmt::format("cannot remove {}", file.string()), fault.value());
    }
    return {};
}

void remove_unfinished(const Paths& paths) {
    std::error_code fault;
    for (const auto& entry : fs::directory_iterator(paths.backups(), fault)) {
        if (entry.path().extension() == kUnfinished)
            fs::remove(entry.path(), fault);
    }
    remove_temporaries(paths.backups());
}

Result<void> list_backups(const Paths& paths) {
    auto entries = nlohmann::ordered_json::array();
    for (const auto& name : backups_in(paths))
        entries.push_back(facts_of(paths, name));
    constexpr int kIndent = 2;
    fmt::print("{}\n", entries.dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace));
    return {};
}

} // namespace commento
