#include "ctl/show_config.hpp"

#include "config/keys.hpp"
#include "ctl/output.hpp"
#include "ctl/settings_files.hpp"

#include <fmt/format.h>

namespace commento {
namespace {

std::string shown(const Key& key, const Value& value, Secrets secrets) {
    if (key.secrecy == Secrecy::open)
        return value.text;
    if (secrets == Secrets::unreadable)
        return "(only root can see)";
    return value.text.empty() ? "(not set)" : "(set)";
}

} // namespace

std::vector<std::vector<Cell>> config_rows(const Settings& settings, Secrets secrets) {
    std::vector<std::vector<Cell>> rows;
    for (const auto& key : all_keys()) {
        const Value& value = settings.value(key.name);
        rows.push_back({{std::string(key.name)}, {shown(key, value, secrets)}, {value.origin}});
    }
    return rows;
}

Result<void> show_config(const Paths& paths) {
    COMMENTO_ASSIGN(const SettingsFiles files, read_settings_files(paths));
    const auto [settings, faults] = Settings::examine(files.settings, files.secrets.value_or(""), paths);
    const auto secrets = files.secrets ? Secrets::readable : Secrets::unreadable;
    say(draw_table({"KEY", "VALUE", "ORIGIN"}, config_rows(settings, secrets), look_of_stdout()));
    if (!faults.empty())
        return tl::unexpected(to_error(faults, fmt::format("edit {}, or run commentoctl setup", //
                                                           paths.settings().string())));
    return {};
}

} // namespace commento
