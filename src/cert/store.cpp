#include "cert/store.hpp"

#include "base/files.hpp"
#include "acme/key.hpp"
#include "net/certificate.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kOpenFolder = 0755;
constexpr mode_t kOpenFile = 0644;
constexpr mode_t kSecretFile = 0600;
constexpr std::size_t kKept = 3; // the live one, the former, and one more

Result<Fd> lock_store(const Paths& paths) {
    COMMENTO_CHECK(make_folder(paths.tls_generations(), kOpenFolder));
    return lock_file(paths.tls() / "lock");
}

fs::path folder_of(const Paths& paths, const std::string& name) { return paths.tls_generations() / name; }

/// Where a generation grows before it has its number.
fs::path unfinished(const Paths& paths) { return folder_of(paths, ".unfinished"); }

std::string stamp_of(const Generation& generation) {
    return fmt::format("{} {}\n", generation.name, generation.fingerprint);
}

bool is_number(const std::string& name) {
    return !name.empty() && name.size() < 9 && name.find_first_not_of("0123456789") == std::string::npos;
}

Result<std::vector<std::string>> names_newest_first(const Paths& paths) {
    std::vector<std::string> names;
    std::error_code fault;
    for (fs::directory_iterator entry(paths.tls_generations(), fault), end; !fault && entry != end;
         entry.increment(fault)) {
        if (auto name = entry->path().filename().string(); is_number(name))
            names.push_back(std::move(name));
    }
    if (fault)
        return fail(ErrorCode::storage,
                    fmt::format("cannot list {}: {}", paths.tls_generations().string(), fault.message()));
    std::ranges::sort(names, std::ranges::greater(), [](const std::string& name) { return std::stol(name); });
    return names;
}

Result<std::string> next_name(const Paths& paths) {
    COMMENTO_ASSIGN(const auto names, names_newest_first(paths));
    return fmt::format("{:04}", names.empty() ? 1 : std::stol(names.front()) + 1);
}

Result<void> remove_folder(const fs::path& folder) {
    std::error_code fault;
    fs::remove_all(folder, fault);
    if (fault)
        return fail(ErrorCode::storage, fmt::format("cannot remove {}: {}", folder.string(), fault.message()));
    return {};
}

std::optional<Generation> read_info(const Paths& paths, const std::string& name) {
    const auto text = read_file(folder_of(paths, name) / "info.json");
    return text ? from_info(name, *text) : std::nullopt;
}

Result<Pair> read_pair_in(const fs::path& folder) {
    COMMENTO_ASSIGN(std::string chain, read_file(folder / "fullchain.pem"));
    COMMENTO_ASSIGN(std::string key, read_file(folder / "privkey.pem"));
    return Pair{std::move(chain), std::move(key)};
}

/// A generation whose files were read and belong together.
Result<Generation> load_good(const Paths& paths, const std::string& name) {
    const fs::path folder = folder_of(paths, name);
    COMMENTO_ASSIGN(const Pair pair, read_pair_in(folder));
    if (const auto problem = problem_with(pair); !problem.empty())
        return fail(ErrorCode::storage, fmt::format("{}: {}", folder.string(), problem));
    auto generation = read_info(paths, name);
    const auto leaf = parse_certificate(pair.chain);
    if (!generation || !leaf || generation->fingerprint != leaf->fingerprint)
        return fail(ErrorCode::storage, fmt::format("{}: info.json does not fit the certificate", folder.string()));
    return *generation;
}

/// Points live at a generation, then stamps it; writes only what is not so already.
Result<void> publish(const Paths& paths, const Generation& generation) {
    const fs::path target = paths.tls_generations().filename() / generation.name;
    std::error_code fault;
    if (fs::read_symlink(paths.tls_live(), fault) != target)
        COMMENTO_CHECK(point_link(paths.tls_live(), target));
    COMMENTO_CHECK(update_file(paths.tls_stamp(), stamp_of(generation), kOpenFile));
    return {};
}

Result<void> write_generation(const fs::path& folder, const Pair& pair, const Generation& generation) {
    COMMENTO_CHECK(remove_folder(folder));
    COMMENTO_CHECK(make_folder(folder, kOpenFolder));
    COMMENTO_CHECK(write_file(folder / "privkey.pem", pair.key, kSecretFile));
    COMMENTO_CHECK(write_file(folder / "fullchain.pem", pair.chain, kOpenFile));
    return write_file(folder / "info.json", to_info(generation), kOpenFile);
}

/// The rename that makes it count.
Result<void> number(const Paths& paths, const Generation& generation) {
    std::error_code fault;
    fs::rename(unfinished(paths), folder_of(paths, generation.name), fault);
    if (fault)
        return fail(ErrorCode::storage, fmt::format("cannot rename {} to {}: {}", unfinished(paths).string(),
                                                    generation.name, fault.message()));
    return sync_folder(paths.tls_generations());
}

/// What is left too much is no failure: the next install removes it.
void prune(const Paths& paths) {
    const auto names = names_newest_first(paths).value_or(std::vector<std::string>{});
    for (std::size_t i = kKept; i < names.size(); ++i) {
        if (const auto done = remove_folder(folder_of(paths, names[i])); !done)
            spdlog::warn("{}; ignoring it", done.error().message);
    }
}

Result<Generation> describe(const Paths& paths, const Pair& pair, const Origin& origin) {
    COMMENTO_ASSIGN(Certificate leaf, parse_certificate(pair.chain));
    COMMENTO_ASSIGN(std::string name, next_name(paths));
    const PrivateKey key = parse_key(pair.key);
    return Generation{std::move(name), origin,         std::string(type_of(key.get())), std::move(leaf.names),
                      leaf.not_before, leaf.not_after, std::move(leaf.fingerprint)};
}

} // namespace

std::optional<Generation> published(const Paths& paths) {
    std::error_code fault;
    const fs::path target = fs::read_symlink(paths.tls_live(), fault);
    if (fault || target.parent_path() != paths.tls_generations().filename())
        return std::nullopt;
    auto generation = read_info(paths, target.filename().string());
    const auto stamp = read_file(paths.tls_stamp());
    if (!generation || !stamp || *stamp != stamp_of(*generation))
        return std::nullopt;
    return generation;
}

Result<std::optional<Generation>> repair(const Paths& paths) {
    COMMENTO_ASSIGN(const Fd lock, lock_store(paths));
    remove_temporaries(paths.tls());
    remove_temporaries(paths.tls_generations());
    COMMENTO_CHECK(remove_folder(unfinished(paths)));
    COMMENTO_ASSIGN(const auto names, names_newest_first(paths));
    for (const auto& name : names) {
        auto generation = load_good(paths, name);
        if (!generation) {
            spdlog::warn("{}; ignoring this generation", generation.error().message);
            continue;
        }
        COMMENTO_CHECK(publish(paths, *generation));
        return *std::move(generation);
    }
    return std::nullopt;
}

Result<Generation> install(const Paths& paths, const Pair& pair, const Origin& origin) {
    COMMENTO_ASSIGN(const Fd lock, lock_store(paths));
    COMMENTO_ASSIGN(Generation generation, describe(paths, pair, origin));
    COMMENTO_CHECK(write_generation(unfinished(paths), pair, generation));
    COMMENTO_CHECK(number(paths, generation));
    COMMENTO_CHECK(publish(paths, generation));
    prune(paths);
    return generation;
}

Result<Pair> read_pair(const Paths& paths, const Generation& generation) {
    return read_pair_in(folder_of(paths, generation.name));
}

Result<void> check_room(const Paths& paths) {
    constexpr std::size_t kPlenty = 65536; // several times what a generation takes
    COMMENTO_ASSIGN(const Fd lock, lock_store(paths));
    const fs::path trial = folder_of(paths, ".room");
    COMMENTO_CHECK(write_file(trial, std::string(kPlenty, '\n'), kSecretFile));
    ::unlink(trial.c_str());
    return {};
}

} // namespace commento
