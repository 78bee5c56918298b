#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

namespace standin {

inline constexpr const char* version = "v1.8.7-standin";

/// The environment, checked and completed.
struct Settings {
    std::string origin;     // without a slash at its end
    std::string cdn_prefix; // without a slash at its end
    std::string subfolder;  // the path of origin; every address is served below it
    std::string postgres;
    std::string bind_address;
    std::string port;
    std::filesystem::path static_folder;
    std::size_t max_idle_connections = 0;
    bool forbid_new_owners = false;
    bool mail_configured = false;
    std::map<std::string, bool> oauth_configured;
};

/// Reads COMMENTO_*; `program` is argv[0]. Logs the fault and throws FatalError where one is found.
Settings read_settings(const std::string& program);

// These three come after the migrations, as in the application: a wrong value fails late. They throw FatalError.
void check_mail_settings(const Settings& settings);
void check_mail_templates(const Settings& settings);
void check_oauth_settings(const Settings& settings);

} // namespace standin
