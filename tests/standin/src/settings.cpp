#include "settings.hpp"

#include "failure.hpp"
#include "log.hpp"
#include "text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <initializer_list>

namespace standin {

namespace {

constexpr std::initializer_list<const char*> oauth_providers = {"google", "github", "gitlab", "twitter"};

// An empty variable counts as one that is not set.
std::string variable(const std::string& name, const std::string& otherwise = "") {
    const char* value = std::getenv(("COMMENTO_" + name).c_str());
    return value != nullptr && *value != '\0' ? value : otherwise;
}

std::string mandatory_variable(const std::string& name) {
    std::string value = variable(name);
    if (value.empty()) {
        log(Level::error, "missing COMMENTO_" + name + " environment variable");
        throw FatalError("a mandatory setting is missing");
    }
    return value;
}

[[noreturn]] void refuse(const std::string& complaint) {
    log(Level::error, complaint);
    throw FatalError("a setting has an invalid value: " + complaint);
}

std::string as_web_address(std::string value) {
    if (value.ends_with('/')) {
        value.pop_back();
    }
    return value.starts_with("http://") || value.starts_with("https://") ? value : "http://" + value;
}

std::filesystem::path read_static_folder(const std::string& program) {
    // Symlinks are deliberately not resolved: a link to the program elsewhere means that other folder.
    const auto beside_program = std::filesystem::absolute(std::filesystem::path(program).parent_path());
    std::string folder = variable("STATIC", beside_program.lexically_normal().string());
    while (folder.ends_with('/')) {
        folder.pop_back();
    }
    if (!std::filesystem::is_directory(folder)) {
        refuse("COMMENTO_STATIC=" + folder + " is not a folder");
    }
    return folder;
}

bool read_switch(const std::string& name) {
    const std::string value = variable(name, "false");
    if (value != "true" && value != "false") {
        refuse("COMMENTO_" + name + " is neither 'true' nor 'false'");
    }
    return value == "true";
}

std::size_t read_positive_number(const std::string& name, const std::string& otherwise) {
    const std::string value = variable(name, otherwise);
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number == 0) {
        refuse("COMMENTO_" + name + " is not a positive number");
    }
    return number;
}

std::string upper_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return text;
}

} // namespace

Settings read_settings(const std::string& program) {
    Settings settings;
    settings.origin = as_web_address(mandatory_variable("ORIGIN"));
    settings.cdn_prefix = as_web_address(variable("CDN_PREFIX", settings.origin));
    settings.subfolder = path_of_web_address(settings.origin);
    settings.postgres = variable("POSTGRES", "postgres://postgres:postgres@localhost/commento?sslmode=disable");
    settings.bind_address = variable("BIND_ADDRESS", "127.0.0.1");
    settings.port = variable("PORT", "8080");
    settings.forbid_new_owners = read_switch("FORBID_NEW_OWNERS");
    settings.static_folder = read_static_folder(program);
    settings.max_idle_connections = read_positive_number("MAX_IDLE_PG_CONNECTIONS", "50");
    settings.mail_configured = !variable("SMTP_HOST").empty() && !variable("SMTP_PORT").empty();
    for (const char* provider : oauth_providers) {
        settings.oauth_configured[provider] = !variable(upper_case(provider) + "_KEY").empty();
    }
    return settings;
}

void check_mail_settings(const Settings& settings) {
    if (!settings.mail_configured) {
        log(Level::warning, "no SMTP server is set: no mail will be sent");
    } else if (variable("SMTP_FROM_ADDRESS").empty()) {
        log(Level::error, "COMMENTO_SMTP_FROM_ADDRESS not set");
        throw FatalError("mail needs a sender's address");
    }
}

void check_mail_templates(const Settings& settings) {
    for (const char* name : {"confirm-hex", "reset-hex", "domain-export", "domain-export-error"}) {
        const auto file = settings.static_folder / "templates" / (std::string(name) + ".txt");
        if (!std::filesystem::is_regular_file(file)) {
            log(Level::error, "cannot read the template " + file.string());
            throw FatalError("a mail template cannot be read");
        }
    }
}

void check_oauth_settings(const Settings&) {
    for (const char* provider : oauth_providers) {
        const std::string name = upper_case(provider);
        if (variable(name + "_KEY").empty() != variable(name + "_SECRET").empty()) {
            log(Level::error, "COMMENTO_" + name + "_KEY and COMMENTO_" + name + "_SECRET need each other");
            throw FatalError("an OAuth provider is set by half");
        }
    }
}

} // namespace standin
