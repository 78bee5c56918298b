#include "app/environment.hpp"

#include "base/files.hpp"

#include <fmt/format.h>
#include <map>
#include <sys/stat.h>

namespace commento {

namespace {

std::string environment(const Paths& paths, const Settings& settings, const std::string& port,
                        const std::string& files) {
    std::map<std::string, std::string> values;
    for (const auto& [key, value] : settings.application_settings())
        values[key] = value;
    values["COMMENTO_ORIGIN"] = settings.origin();
    values["COMMENTO_PORT"] = port;
    values["COMMENTO_BIND_ADDRESS"] = "127.0.0.1";
    values["COMMENTO_STATIC"] = files;
    // binary_parameters: each statement in one message, as a pool that lends connections by transaction needs it.
    values["COMMENTO_POSTGRES"] =
        fmt::format("postgres:///commento?host={}&port=6432&user=commento&sslmode=disable&binary_parameters=yes",
                    paths.pool_sockets().string());

    std::string text =
        fmt::format("# Written by commento-app from {}; changes made here are lost.\n", paths.settings().string());
    for (const auto& [key, value] : values)
        text += format_assignment(key, value) + "\n";
    return text;
}

} // namespace

std::string application_environment(const Paths& paths, const Settings& settings) {
    return environment(paths, settings, settings.text("COMMENTO_PORT"), paths.app_current().string());
}

std::string environment_beside(const Paths& paths, const Settings& settings, int port) {
    return environment(paths, settings, std::to_string(port), paths.beside_release().string());
}

Result<bool> update_environment(const Paths& paths, const Settings& settings) {
    return update_file(paths.app_environment(), application_environment(paths, settings),
                       S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
}

} // namespace commento
