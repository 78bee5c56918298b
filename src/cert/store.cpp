#include "cert/store.hpp"

#include "acme/key.hpp"
#include "base/files.hpp"
#include "net/certificate.hpp"

#include <algorithm>
#include <cerrno>
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
constexpr std::size_t kKept = 3;               // the live one, the former, and one more
constexpr const char* kSetAside = "set-aside"; // in a generation's folder; holds the reason

Result<Fd> lock_store(const Store& store) {
    COMMENTO_CHECK(make_folder(store.generations(), kOpenFolder));
    return lock_file(store.folder / "lock");
}

fs::path folder_of(const Store& store, const std::string& name) { return store.generations() / name; }

/// What live points to.
std::string live_target(const std::string& name) { return "generations/" + name; }

/// Where a generation grows before it has its number.
fs::path unfinished(const Store& store) { return folder_of(store, ".unfinished"); }

std::string stamp_of(const Generation& generation) {
    return fmt::format("{} {}\n", generation.name, generation.fingerprint);
}

bool is_number(const std::string& name) {
    return !name.empty() && name.size() < 9 && name.find_first_not_of("0123456789") == std::string::npos;
}

Result<std::vector<std::string>> names_newest_first(const Store& store) {
    std::vector<std::string> names;
    std::error_code fault;
    for (fs::directory_iterator entry(store.generations(), fault), end; !fault && entry != end;
         entry.increment(fault)) {
        if (auto name = entry->path().filename().string(); is_number(name))
            names.push_back(std::move(name));
    }
    if (fault)
        return fail(ErrorCode::storage,
                    fmt::format("cannot list {}: {}", store.generations().string(), fault.message()));
    std::ranges::sort(names, std::ranges::greater(), [](const std::string& name) { return std::stol(name); });
    return names;
}

Result<std::string> next_name(const Store& store) {
    COMMENTO_ASSIGN(const auto names, names_newest_first(store));
    return fmt::format("{:04}", names.empty() ? 1 : std::stol(names.front()) + 1);
}

std::optional<Generation> read_info(const Store& store, const std::string& name) {
    const auto text = read_file(folder_of(store, name) / "info.json");
    return text ? from_info(name, *text) : std::nullopt;
}

Result<Pair> read_pair_in(const fs::path& folder) {
    COMMENTO_ASSIGN(std::string chain, read_file(folder / "fullchain.pem"));
    COMMENTO_ASSIGN(std::string key, read_file(folder / "privkey.pem"));
    return Pair{std::move(chain), std::move(key)};
}

/// A generation whose files were read and belong together.
Result<Generation> load_good(const Store& store, const std::string& name) {
    const fs::path folder = folder_of(store, name);
    COMMENTO_ASSIGN(const Pair pair, read_pair_in(folder));
    if (const auto problem = problem_with(pair); !problem.empty())
        return fail(ErrorCode::storage, fmt::format("{}: {}", folder.string(), problem));
    auto generation = read_info(store, name);
    const auto leaf = parse_certificate(pair.chain);
    if (!generation || !leaf || generation->fingerprint != leaf->fingerprint)
        return fail(ErrorCode::storage, fmt::format("{}: info.json does not fit the certificate", folder.string()));
    return *generation;
}

bool is_set_aside(const Store& store, const std::string& name) {
    std::error_code fault;
    return fs::exists(folder_of(store, name) / kSetAside, fault);
}

/// Points live at a generation, then stamps it; writes only what is not so already.
Result<void> publish(const Store& store, const Generation& generation) {
    const std::string target = live_target(generation.name);
    if (link_target(store.live()) != target)
        COMMENTO_CHECK(point_link(store.live(), target));
    const std::string stamp = stamp_of(generation);
    if (read_file(store.stamp()) == stamp)
        return {};
    // Before the stamp, so that a run after a kill between the two gives the signals again.
    if (!store.signal.empty())
        COMMENTO_CHECK(write_file(store.signal, store.folder.filename().string() + " " + stamp, kOpenFile));
    COMMENTO_CHECK(write_file(store.changed, "", kOpenFile));
    return write_file(store.stamp(), stamp, kOpenFile);
}

Result<void> write_generation(const fs::path& folder, const Pair& pair, const Generation& generation) {
    COMMENTO_CHECK(remove_folder(folder));
    COMMENTO_CHECK(make_folder(folder, kOpenFolder));
    COMMENTO_CHECK(write_file(folder / "privkey.pem", pair.key, kSecretFile));
    COMMENTO_CHECK(write_file(folder / "fullchain.pem", pair.chain, kOpenFile));
    return write_file(folder / "info.json", to_info(generation), kOpenFile);
}

/// The rename that makes it count.
Result<void> number(const Store& store, const Generation& generation) {
    std::error_code fault;
    fs::rename(unfinished(store), folder_of(store, generation.name), fault);
    if (fault)
        return fail(ErrorCode::storage, fmt::format("cannot rename {} to {}: {}", unfinished(store).string(),
                                                    generation.name, fault.message()));
    return sync_folder(store.generations());
}

/// Keeps the newest ones, and the newest of those that were not set aside: to these it may have to go back. What is
/// left too much is no failure: the next install removes it.
void prune(const Store& store) {
    std::size_t seen = 0;
    std::size_t good = 0;
    for (const auto& name : names_newest_first(store).value_or(std::vector<std::string>{})) {
        const bool is_recent = seen++ < kKept;
        const bool is_of_use = !is_set_aside(store, name) && good++ < kKept;
        if (is_recent || is_of_use)
            continue;
        if (const auto done = remove_folder(folder_of(store, name)); !done)
            spdlog::warn("{}; ignoring it", done.error().message);
    }
}

Result<Generation> describe(const Store& store, const Pair& pair, const GenerationFacts& facts) {
    COMMENTO_ASSIGN(Certificate leaf, parse_certificate(pair.chain));
    COMMENTO_ASSIGN(std::string name, next_name(store));
    const PrivateKey key = parse_key(pair.key);
    return Generation{std::move(name),
                      facts,
                      std::string(type_of(key.get())),
                      std::move(leaf.issuer),
                      std::move(leaf.serial),
                      std::move(leaf.names),
                      leaf.not_before,
                      leaf.not_after,
                      std::move(leaf.fingerprint)};
}

Result<void> remove_leftovers(const Store& store) {
    remove_temporaries(store.folder);
    remove_temporaries(store.generations());
    return remove_folder(unfinished(store));
}

/// The newest generation that loads and was not set aside.
Result<std::optional<Generation>> newest_good(const Store& store) {
    COMMENTO_ASSIGN(const auto names, names_newest_first(store));
    for (const auto& name : names) {
        if (is_set_aside(store, name))
            continue;
        auto generation = load_good(store, name);
        if (generation)
            return *std::move(generation);
        spdlog::warn("{}; ignoring this generation", generation.error().message);
    }
    return std::nullopt;
}

} // namespace

std::optional<Generation> published(const Store& store) {
    const std::string target = link_target(store.live());
    const std::string name = target.substr(target.rfind('/') + 1);
    if (target != live_target(name))
        return std::nullopt;
    auto generation = read_info(store, name);
    const auto stamp = read_file(store.stamp());
    if (!generation || !stamp || *stamp != stamp_of(*generation))
        return std::nullopt;
    return generation;
}

Result<std::optional<Generation>> repair(const Store& store) {
    COMMENTO_ASSIGN(const Fd lock, lock_store(store));
    COMMENTO_CHECK(remove_leftovers(store));
    COMMENTO_ASSIGN(auto newest, newest_good(store));
    if (newest)
        COMMENTO_CHECK(publish(store, *newest));
    return newest;
}

Result<void> clean(const Store& store) {
    COMMENTO_ASSIGN(const Fd lock, lock_store(store));
    return remove_leftovers(store);
}

Result<Generation> install(const Store& store, const Pair& pair, const GenerationFacts& facts) {
    COMMENTO_ASSIGN(const Fd lock, lock_store(store));
    COMMENTO_ASSIGN(Generation generation, describe(store, pair, facts));
    COMMENTO_CHECK(write_generation(unfinished(store), pair, generation));
    COMMENTO_CHECK(number(store, generation));
    COMMENTO_CHECK(publish(store, generation));
    prune(store);
    return generation;
}

Result<std::optional<Generation>> set_aside(const Store& store, const Generation& generation, const std::string& why) {
    COMMENTO_ASSIGN(const Fd lock, lock_store(store));
    const fs::path mark = folder_of(store, generation.name) / kSetAside;
    // From this write on the rule names another generation; a run after a kill publishes it.
    COMMENTO_CHECK(write_file(mark, why + "\n", kOpenFile));
    COMMENTO_ASSIGN(auto former, newest_good(store));
    if (!former) {
        ::unlink(mark.c_str());
        COMMENTO_CHECK(sync_folder(mark.parent_path()));
        return std::nullopt;
    }
    COMMENTO_CHECK(publish(store, *former));
    return former;
}

std::optional<SetAside> find_set_aside(const Store& store) {
    const auto names = names_newest_first(store).value_or(std::vector<std::string>{});
    struct stat mark {};
    if (names.empty() || ::stat((folder_of(store, names.front()) / kSetAside).c_str(), &mark) != 0)
        return std::nullopt;
    auto newest = load_good(store, names.front());
    return newest ? std::optional(SetAside{*std::move(newest), mark.st_mtime}) : std::nullopt;
}

Result<Generation> take_up_again(const Store& store, const Generation& generation) {
    COMMENTO_ASSIGN(const Fd lock, lock_store(store));
    const fs::path mark = folder_of(store, generation.name) / kSetAside;
    if (::unlink(mark.c_str()) != 0 && errno != ENOENT)
        return fail_errno(ErrorCode::storage, "cannot remove " + mark.string(), errno);
    COMMENTO_CHECK(sync_folder(mark.parent_path()));
    COMMENTO_CHECK(publish(store, generation));
    return generation;
}

Result<void> mark_revoked(const Store& store, const Generation& generation) {
    COMMENTO_ASSIGN(const Fd lock, lock_store(store));
    Generation revoked = generation;
    revoked.revoked = true;
    return write_file(folder_of(store, generation.name) / "info.json", to_info(revoked), kOpenFile);
}

std::vector<Generation> all_generations(const Store& store) {
    std::vector<Generation> generations;
    for (const auto& name : names_newest_first(store).value_or(std::vector<std::string>{})) {
        if (auto generation = read_info(store, name))
            generations.push_back(*std::move(generation));
    }
    return generations;
}

Result<Pair> read_pair(const Store& store, const Generation& generation) {
    return read_pair_in(folder_of(store, generation.name));
}

Result<void> check_room(const Store& store) {
    COMMENTO_ASSIGN(const Fd lock, lock_store(store));
    return check_room(store.generations());
}

} // namespace commento
