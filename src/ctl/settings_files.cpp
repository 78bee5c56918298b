#include "ctl/settings_files.hpp"

#include "base/files.hpp"

namespace commento {
namespace {

using path = std::filesystem::path;

Result<std::string> read_first(const path& file, const path& otherwise) {
    if (std::filesystem::exists(file))
        return read_file(file);
    auto text = read_file(otherwise);
    if (!text)
        return fail(ErrorCode::storage, text.error().message,
                    "the package brings this file: apt install --reinstall commento-stack");
    return text;
}

} // namespace

Result<SettingsFiles> read_settings_files(const Paths& paths) {
    auto settings = read_file(paths.settings());
    if (!settings)
        return fail(ErrorCode::settings, settings.error().message, "commentoctl setup writes this file");
    SettingsFiles files{*std::move(settings), std::nullopt};
    if (auto secrets = read_file(paths.secrets()))
        files.secrets = *std::move(secrets);
    return files;
}

Result<SettingsFiles> read_files_or_templates(const Paths& paths) {
    COMMENTO_ASSIGN(std::string settings, read_first(paths.settings(), paths.settings_template()));
    COMMENTO_ASSIGN(std::string secrets, read_first(paths.secrets(), paths.secrets_template()));
    return SettingsFiles{std::move(settings), std::move(secrets)};
}

} // namespace commento
