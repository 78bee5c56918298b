#include "ctl/show_config.hpp"

#include "base/translate.hpp"
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
        return tr("(only root can see)");
    return value.text.empty() ? tr("(not set)") : tr("(set)");
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
    const auto [settings, faults] = examine(files, paths);
    const auto secrets = files.secrets ? Secrets::readable : Secrets::unreadable;
    say(draw_table({tr("KEY"), tr("VALUE"), tr("ORIGIN")}, config_rows(settings, secrets), look_of_stdout()));
    if (!faults.empty())
        return tl::unexpected(to_error(faults, tr("edit {}, or run commentoctl setup", //
                                                  paths.settings().string())));
    return {};
}

} // namespace commento
