#include "ctl/settings_files.hpp"

#include "base/files.hpp"
#include "base/host_facts.hpp"
#include "base/translate.hpp"

#include <fmt/ranges.h>

namespace commento {
namespace {

using path = std::filesystem::path;

Result<std::string> read_first(const Paths& paths, const path& file, const path& otherwise) {
    if (std::filesystem::exists(file))
        return read_file(file);
    auto text = read_file(otherwise);
    if (!text)
        return fail(
            ErrorCode::storage, text.error().message,
            tr("the package brings this file: sudo {}", fmt::join(host_facts(paths).reinstall("commento-stack"), " ")));
    return text;
}

} // namespace

Result<SettingsFiles> read_settings_files(const Paths& paths) {
    auto settings = read_file(paths.settings());
    if (!settings)
        return fail(ErrorCode::settings, settings.error().message, tr("sudo commentoctl setup writes this file"));
    SettingsFiles files{*std::move(settings), std::nullopt};
    if (auto secrets = read_file(paths.secrets()))
        files.secrets = *std::move(secrets);
    return files;
}

Result<SettingsFiles> read_files_or_templates(const Paths& paths) {
    COMMENTO_ASSIGN(std::string settings, read_first(paths, paths.settings(), paths.settings_template()));
    COMMENTO_ASSIGN(std::string secrets, read_first(paths, paths.secrets(), paths.secrets_template()));
    return SettingsFiles{std::move(settings), std::move(secrets)};
}

Examined examine(const SettingsFiles& files, const Paths& paths) {
    return Settings::examine(files.settings, files.secrets.value_or(""), paths);
}

} // namespace commento
