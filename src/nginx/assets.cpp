#include "nginx/assets.hpp"

#include "net/http.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fmt/format.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 2000;
constexpr std::size_t kLargestFile = std::size_t{8} << 20U;
constexpr std::string_view kPage = ".html";
constexpr const char* kHint = "systemctl status commento.service; it starts this again";

struct Wanted {
    std::string address; ///< of the application, with the base path
    std::string path;    ///< of the Asset
};

/// Names come from an archive. Compressed forms are made here.
bool is_plain(const std::string& name) {
    return !name.empty() && name.front() != '.' && !name.ends_with(".gz") && !name.ends_with(".br") &&
           std::ranges::all_of(name, [](unsigned char c) {
               return std::isalnum(c) != 0 || std::string_view(".-_").find(static_cast<char>(c)) != std::string::npos;
           });
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code fault;
    for (fs::directory_iterator entry(folder, fault), end; !fault && entry != end; entry.increment(fault)) {
        std::string name = entry->path().filename();
        if (entry->is_regular_file(fault) && is_plain(name))
            names.push_back(std::move(name));
    }
    return names;
}

std::vector<Wanted> find_wanted(const fs::path& release, const std::string& base) {
    std::vector<Wanted> wanted;
    for (const char* folder : {"js", "css", "images", "fonts", "i18n"}) {
        for (const auto& name : names_in(release / folder)) {
            const std::string address = fmt::format("{}/{}/{}", base, folder, name);
            wanted.push_back({address, "files" + address});
        }
    }
    for (const auto& name : names_in(release)) {
        if (name.ends_with(kPage))
            wanted.push_back({fmt::format("{}/{}", base, name.substr(0, name.size() - kPage.size())),
                              fmt::format("pages{}/{}", base, name)});
    }
    std::ranges::sort(wanted, {}, &Wanted::path);
    return wanted;
}

} // namespace

Result<std::vector<Asset>> fetch_assets(const Paths& paths, const Settings& settings) {
    constexpr int kOk = 200;
    const auto wanted = find_wanted(paths.app_current(), settings.base_path());
    if (wanted.empty() || wanted.size() > kMostFiles)
        return fail(ErrorCode::application,
                    fmt::format("{} holds {} static files", paths.app_current().string(), wanted.size()),
                    "is a release installed? systemctl status commento-app-install");
    HttpClient client({.body = kLargestFile});
    const std::string application = client.reach_here(settings.number("COMMENTO_PORT"));
    std::vector<Asset> assets;
    for (const auto& [address, path] : wanted) {
        auto answer = client.send({.url = application + address});
        if (!answer)
            return fail(ErrorCode::application, answer.error().message, kHint);
        if (answer->status == kOk)
            assets.push_back({path, std::move(answer->body)});
    }
    if (assets.empty())
        return fail(ErrorCode::application, "the application has none of its release's static files", kHint);
    return assets;
}

} // namespace commento
