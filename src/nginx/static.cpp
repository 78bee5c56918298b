#include "nginx/static.hpp"

#include "base/files.hpp"
#include "base/owner.hpp"
#include "nginx/assets.hpp"
#include "nginx/compress.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <spdlog/spdlog.h>
#include <tuple>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolder = 0755;
constexpr mode_t kFile = 0644;

struct Form {
    const char* ending;
    std::string (*compress)(std::string_view);
};
constexpr std::array kForms{Form{".gz", gzip}, Form{".br", brotli}};

fs::path generations(const Paths& paths) { return paths.static_folder() / "generations"; }

/// Where a generation grows before it has its number.
fs::path unfinished(const Paths& paths) { return generations(paths) / ".unfinished"; }

/// The generation that is served; empty where there is none.
fs::path live_folder(const Paths& paths) {
    const std::string target = link_target(paths.static_live());
    return target.empty() ? fs::path() : paths.static_folder() / target;
}

/// A time made from the content. nginx makes its ETag from time and length: same content keeps its ETag in every
/// generation and on every host, and another one gets another ETag though it be as long and written in the same second.
std::time_t time_of(std::string_view content) {
    constexpr std::time_t kFirst = 978'307'200;  // 2001
    constexpr std::uint32_t kBits = 0x3fff'ffff; // 34 years
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    EVP_Digest(content.data(), content.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i)
        number = (number << 8U) | digest.at(i);
    return kFirst + static_cast<std::time_t>(number & kBits);
}

/// Writes the form that is compressed, where it is smaller. What was compressed for the former generation is not again.
Result<void> put_form(const Form& form, const fs::path& file, const Asset& asset, const fs::path& former) {
    constexpr std::size_t kLeast = 256; // bytes; below, headers weigh more than what is saved
    if (asset.content.size() < kLeast)
        return {};
    const std::string compressed_file = file.string() + form.ending;
    const bool is_same = !former.empty() && read_file(former / asset.path, asset.content.size()) == asset.content;
    if (is_same && ::link((former / (asset.path + form.ending)).c_str(), compressed_file.c_str()) == 0)
        return {};
    const std::string compressed = form.compress(asset.content);
    return compressed.size() < asset.content.size()
               ? make_file(compressed_file, compressed, kFile, time_of(asset.content))
               : Result<void>();
}

Result<void> write_generation(const fs::path& folder, const std::vector<Asset>& assets, const fs::path& former) {
    for (const auto& asset : assets) {
        const fs::path file = folder / asset.path;
        COMMENTO_CHECK(make_folder(file.parent_path(), kFolder));
        COMMENTO_CHECK(make_file(file, asset.content, kFile, time_of(asset.content)));
        for (const auto& form : kForms)
            COMMENTO_CHECK(put_form(form, file, asset, former));
    }
    const Fd whole(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!whole || ::syncfs(whole.get()) != 0)
        return fail_errno(ErrorCode::storage, fmt::format("cannot sync {}", folder.string()), errno);
    return {};
}

/// The same; a generation that could not be finished, on a full disk say, gives back its room at once.
Result<void> grow_generation(const fs::path& folder, const std::vector<Asset>& assets, const fs::path& former) {
    auto done = write_generation(folder, assets, former);
    if (!done)
        std::ignore = remove_folder(folder); // else the next run does
    return done;
}

bool is_compressed(const fs::path& file) {
    return std::ranges::any_of(kForms, [&](const Form& form) { return file.extension() == form.ending; });
}

std::size_t count_assets(const fs::path& folder) {
    std::size_t count = 0;
    std::error_code fault;
    for (fs::recursive_directory_iterator entry(folder, fault), end; !fault && entry != end; entry.increment(fault)) {
        if (entry->is_regular_file(fault) && !is_compressed(entry->path()))
            ++count;
    }
    return count;
}

bool holds(const fs::path& folder, const std::vector<Asset>& assets) {
    return !folder.empty() && count_assets(folder) == assets.size() &&
           std::ranges::all_of(assets, [&](const Asset& asset) {
               return read_file(folder / asset.path, std::max<std::size_t>(asset.content.size(), 1)) == asset.content;
           });
}

std::vector<std::string> numbers(const Paths& paths) {
    std::vector<std::string> names;
    std::error_code fault;
    for (fs::directory_iterator entry(generations(paths), fault), end; !fault && entry != end; entry.increment(fault)) {
        std::string name = entry->path().filename();
        if (name.size() < 9 && name.find_first_not_of("0123456789") == std::string::npos)
            names.push_back(std::move(name));
    }
    std::ranges::sort(names, {}, [](const std::string& name) { return std::stol(name); });
    return names;
}

/// The renames that make it count.
Result<std::string> publish(const Paths& paths) {
    const auto present = numbers(paths);
    const std::string name = fmt::format("{:04}", present.empty() ? 1 : std::stol(present.back()) + 1);
    if (::rename(unfinished(paths).c_str(), (generations(paths) / name).c_str()) != 0)
        return fail_errno(ErrorCode::storage, fmt::format("cannot rename {}", unfinished(paths).string()), errno);
    COMMENTO_CHECK(sync_folder(generations(paths)));
    COMMENTO_CHECK(point_link(paths.static_live(), fs::path("generations") / name));
    return name;
}

/// Keeps the two newest. What is left too much is no failure: the next run removes it.
void prune(const Paths& paths) {
    auto names = numbers(paths);
    for (; names.size() > 2; names.erase(names.begin())) {
        if (const auto done = remove_folder(generations(paths) / names.front()); !done)
            spdlog::warn("{}; ignoring it", done.error().message);
    }
}

} // namespace

Result<void> render_static(const Paths& paths) {
    COMMENTO_CHECK(
        check_owner(paths.static_folder(), "systemctl start commento-nginx-static runs this as the right one"));
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    COMMENTO_CHECK(make_folder(generations(paths), kFolder));
    COMMENTO_ASSIGN(const Fd lock, lock_file(paths.static_folder() / "lock"));
    remove_temporaries(paths.static_folder());
    COMMENTO_CHECK(remove_folder(unfinished(paths)));
    COMMENTO_ASSIGN(const auto assets, fetch_assets(paths, settings));
    const fs::path former = live_folder(paths);
    if (holds(former, assets)) {
        spdlog::info("{} files are as the application has them: nothing to do", assets.size());
        return {};
    }
    COMMENTO_CHECK(grow_generation(unfinished(paths), assets, former));
    COMMENTO_ASSIGN(const std::string name, publish(paths));
    prune(paths);
    spdlog::info("rendered {} files, generation {}", assets.size(), name);
    return {};
}

} // namespace commento
