#include "config/settings.hpp"

#include "base/files.hpp"
#include "base/translate.hpp"
#include "config/database_url.hpp"
#include "config/keys.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <stdexcept>

namespace commento {
namespace {

using Values = std::map<std::string, Value, std::less<>>;

std::string problem_with_unknown(std::string_view name) {
    const auto nearest = nearest_key(name);
    return nearest.empty() ? tr("is no key of commento-stack; man commento-stack.conf lists them")
                           : tr("is no key of commento-stack; did you mean {}?", nearest);
}

bool is_printable(std::string_view value) {
    return std::ranges::none_of(value, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; });
}

void check(const ParsedFile& parsed, const std::string& file, std::vector<Fault>& faults) {
    faults.insert(faults.end(), parsed.faults.begin(), parsed.faults.end());
    std::map<std::string, int, std::less<>> seen;
    for (const auto& assignment : parsed.assignments) {
        if (auto problem = problem_with_assignment(assignment.key, assignment.value); !problem.empty())
            faults.push_back({file, assignment.line, assignment.key, std::move(problem)});
        const auto [first, fresh] = seen.emplace(assignment.key, assignment.line);
        if (!fresh)
            faults.push_back({file, assignment.line, assignment.key,
                              tr("is set already in line {}; keep one of the two", first->second)});
    }
}

/// Secrets belong into the file that only root and commento can read, and nothing else: the other helpers would miss
/// it.
void check_place(const ParsedFile& parsed, Secrecy kept, const std::string& file, std::vector<Fault>& faults,
                 const std::string& problem) {
    for (const auto& assignment : parsed.assignments) {
        const Key* key = find_key(assignment.key);
        if (key != nullptr && key->secrecy != kept && !assignment.value.empty())
            faults.push_back({file, assignment.line, assignment.key, problem});
    }
}

void take_values(const ParsedFile& parsed, const std::string& file, Values& values) {
    for (const auto& assignment : parsed.assignments) {
        if (find_key(assignment.key) != nullptr && !assignment.value.empty())
            values[assignment.key] = {assignment.value, fmt::format("{}:{}", file, assignment.line)};
    }
}

Values defaults() {
    Values values;
    for (const auto& key : all_keys())
        values.emplace(key.name, Value{std::string(key.standard), "default"});
    return values;
}

/// Of the keys that a certificate has to itself, so that their faults are the same in every file.
void check_certificate(const Settings& settings, const std::string& file, std::vector<Fault>& faults) {
    const auto add = [&](const char* key, std::string problem) {
        faults.push_back({file, 0, key, std::move(problem)});
    };
    const auto is_set = [&](const char* key) { return !settings.text(key).empty(); };
    const bool by_dns = settings.text("ACME_CHALLENGE") == "dns-01";
    for (const auto& name : settings.certificate_names()) {
        if (name.starts_with("*.") && !by_dns)
            add("ACME_CHALLENGE",
                tr("is {}, and {} can only be proved by dns-01", settings.text("ACME_CHALLENGE"), name));
        if (is_ip_address(name) && by_dns)
            add("ACME_CHALLENGE", tr("is dns-01, and {} can only be proved by http-01 or tls-alpn-01", name));
    }
    if (by_dns && !is_set("ACME_DNS_SERVER") && !is_set("ACME_DNS_HOOK"))
        add("ACME_DNS_SERVER", tr("is not set, and ACME_CHALLENGE=dns-01 needs it, or ACME_DNS_HOOK"));
    if (is_set("ACME_DNS_SERVER") && is_set("ACME_DNS_HOOK"))
        add("ACME_DNS_HOOK", tr("is set beside ACME_DNS_SERVER; keep one of the two"));
    if (is_set("ACME_DNS_SERVER") && !is_set("ACME_DNS_KEY_FILE"))
        add("ACME_DNS_KEY_FILE", tr("is not set, and updates of ACME_DNS_SERVER need a key"));
    if (is_set("ACME_EAB_KID") != is_set("ACME_EAB_KEY_FILE"))
        add(is_set("ACME_EAB_KID") ? "ACME_EAB_KEY_FILE" : "ACME_EAB_KID", tr("is not set, and the other needs it"));
    if (settings.text("ACME_FALLBACK_DIRECTORY") == settings.acme_directory())
        add("ACME_FALLBACK_DIRECTORY", tr("is the first authority's; name another, or none"));
}

/// The words of a value, each once, as certificates have them.
std::vector<std::string> canonical_names(std::string_view value) {
    std::vector<std::string> names;
    for (const auto& word : words_in(value)) {
        std::string name = canonical_name(word);
        if (std::ranges::find(names, name) == names.end())
            names.push_back(std::move(name));
    }
    return names;
}

void check_presence(const Values& values, const Paths& paths, std::vector<Fault>& faults) {
    const std::string file = paths.settings().string();
    for (const auto& key : all_keys()) {
        if (key.presence == Presence::mandatory && values.find(key.name)->second.text.empty())
            faults.push_back({file, 0, std::string(key.name), tr("is not set; {}", translated(key.help))});
    }
}

void check_combinations(const Values& values, const Paths& paths, std::vector<Fault>& faults) {
    const std::string file = paths.settings().string();
    const auto text = [&](const char* key) -> const std::string& { return values.find(key)->second.text; };
    for (const char* key : {"TLS_CERTIFICATE_FILE", "TLS_KEY_FILE"}) {
        if (text("TLS_MODE") == "files" && text(key).empty())
            faults.push_back({file, 0, key, tr("is not set, and TLS_MODE=files needs it")});
    }
    const auto served = canonical_names(text("DOMAIN") + " " + text("TLS_NAMES"));
    for (const auto& name : canonical_names(text("REDIRECT_NAMES"))) {
        if (std::ranges::find(served, name) != served.end())
            faults.push_back({file, 0, "REDIRECT_NAMES",
                              tr("holds {}, which DOMAIN or TLS_NAMES names, too; keep one of the two", name)});
    }
    if (text("HTTP_PORT") == text("HTTPS_PORT"))
        faults.push_back({file, 0, "HTTPS_PORT", tr("is the same as HTTP_PORT; each needs its own")});
    for (const char* key : {"HTTP_PORT", "HTTPS_PORT"}) {
        if (text("COMMENTO_PORT") == text(key))
            faults.push_back({file, 0, "COMMENTO_PORT", tr("is the same as {}; each needs its own", key)});
    }
    if (text("PROXY_PROTOCOL") == "true" && text("TRUSTED_PROXIES").empty())
        faults.push_back({file, 0, "TRUSTED_PROXIES", tr("is not set, and PROXY_PROTOCOL=true needs it")});
    const auto database = parse_database_url(text("DATABASE_URL"));
    if (database && !database->password.empty())
        faults.push_back({file, 0, "DATABASE_URL",
                          tr("holds a password, and every user can read this file; set DATABASE_PASSWORD in {}",
                             paths.secrets().string())});
    if (database && values.find("DATABASE_PORT")->second.origin != "default")
        faults.push_back(
            {file, 0, "DATABASE_PORT", tr("is the local cluster's, and DATABASE_URL names another server")});
    if (text("DATABASE_URL").empty() && !text("DATABASE_ADMIN_URL").empty())
        faults.push_back({file, 0, "DATABASE_URL", tr("is not set, and DATABASE_ADMIN_URL needs it")});
    if (text("NOTIFY_SMTP_URL").empty() && !text("NOTIFY_SMTP_USER").empty())
        faults.push_back({file, 0, "NOTIFY_SMTP_URL", tr("is not set, and NOTIFY_SMTP_USER needs it")});
    if (text("NOTIFY_SMTP_USER").empty() && !text("NOTIFY_SMTP_PASSWORD").empty())
        faults.push_back({file, 0, "NOTIFY_SMTP_USER", tr("is not set, and NOTIFY_SMTP_PASSWORD needs it")});
    const bool other_url = values.find("APP_URL")->second.origin != "default";
    if (other_url && values.find("APP_SHA256")->second.origin == "default" && text("APP_ARCHIVE").empty())
        faults.push_back(
            {file, 0, "APP_SHA256", tr("is not set, and another APP_URL needs the SHA-256 of its archive")});
}

/// What systemd hands to this unit under that name (LoadCredential=, systemd.exec(5)), without a line feed at its end.
std::optional<std::string> credential(const char* name) {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    if (folder == nullptr)
        return std::nullopt;
    auto text = read_file(std::filesystem::path(folder) / name);
    if (!text)
        return std::nullopt;
    if (text->ends_with('\n'))
        text->pop_back();
    return *std::move(text);
}

/// Empty where this caller may see none.
std::string secrets_of_caller(const Paths& paths) {
    auto text = read_file(paths.secrets());
    return text ? *std::move(text) : credential("secrets.conf").value_or("");
}

std::size_t begin_of_host(std::string_view address) { return address.find("://") + 3; }

} // namespace

std::string path_of(std::string_view address) {
    const auto path = address.find_first_of("/?#", begin_of_host(address));
    if (path == std::string_view::npos || address[path] != '/')
        return {};
    return std::string(address.substr(path, address.find_first_of("?#", path) - path));
}

Result<Examined> Settings::examine_files(const Paths& paths) {
    const auto settings_text = read_file(paths.settings());
    if (!settings_text)
        return fail(ErrorCode::settings, settings_text.error().message, tr("sudo commentoctl setup writes this file"));
    Examined examined = examine(*settings_text, secrets_of_caller(paths), paths);
    const std::string password = credential("commento-database-password").value_or("");
    if (!password.empty())
        examined.settings.values_["DATABASE_PASSWORD"] = {password, "systemd credential"};
    return examined;
}

Result<Settings> Settings::load(const Paths& paths) {
    COMMENTO_ASSIGN(Examined examined, examine_files(paths));
    if (!examined.faults.empty())
        return tl::unexpected(to_error(examined.faults, tr("edit {} (or run commentoctl setup), then: "
                                                           "systemctl restart commento.target",
                                                           paths.settings().string())));
    const std::string password = credential("commento-database-password").value_or("");
    if (const auto problem = problem_with_assignment("DATABASE_PASSWORD", password); !problem.empty())
        return fail(
            ErrorCode::settings, tr("the credential commento-database-password {}", problem),
            tr("it is the password and nothing else; systemd.exec(5), LoadCredential=, tells where it comes from"));
    return std::move(examined.settings);
}

Examined Settings::examine(std::string_view settings_text, std::string_view secrets_text, const Paths& paths) {
    const std::string settings_file = paths.settings().string();
    const std::string secrets_file = paths.secrets().string();
    const ParsedFile open = parse_env_file(settings_text, settings_file);
    const ParsedFile secret = parse_env_file(secrets_text, secrets_file);

    Examined examined;
    auto& [settings, faults] = examined;
    settings.values_ = defaults();
    check(open, settings_file, faults);
    check_place(open, Secrecy::open, settings_file, faults,
                tr("is a secret, and every user can read this file; move it to {}", secrets_file));
    check(secret, secrets_file, faults);
    check_place(secret, Secrecy::secret, secrets_file, faults,
                tr("is no secret, and most helpers can't read this file; move it to {}", settings_file));
    take_values(open, settings_file, settings.values_);
    take_values(secret, secrets_file, settings.values_);
    check_presence(settings.values_, paths, faults);
    check_combinations(settings.values_, paths, faults);
    if (settings.text("TLS_MODE") == "acme")
        check_certificate(settings, settings_file, faults);
    return examined;
}

Result<Settings> Settings::load_further(const std::filesystem::path& file, std::shared_ptr<const Settings> common) {
    const auto text = read_file(file);
    if (!text)
        return fail(ErrorCode::settings, text.error().message, text.error().hint);
    return read_further(*text, file, std::move(common));
}

Result<Settings> Settings::read_further(std::string_view text, const std::filesystem::path& file,
                                        std::shared_ptr<const Settings> common) {
    const std::string name = file.string();
    const ParsedFile parsed = parse_env_file(text, name);
    std::vector<Fault> faults;
    check(parsed, name, faults);
    for (const auto& assignment : parsed.assignments) {
        if (find_key(assignment.key) != nullptr && !is_for_one_certificate(assignment.key))
            faults.push_back({name, assignment.line, assignment.key, tr("is no key of a single certificate")});
    }
    Settings settings;
    settings.common_ = std::move(common);
    // What is each certificate's own is not taken over from the host's.
    for (const char* key : {"DOMAIN", "TLS_NAMES", "REDIRECT_NAMES"})
        settings.values_.emplace(key, Value{"", "default"});
    take_values(parsed, name, settings.values_);
    // Wildcards and addresses, which DOMAIN can't be, may be the only names.
    if (settings.certificate_names().empty())
        faults.push_back(
            {name, 0, "DOMAIN", tr("is not set, nor is TLS_NAMES; they are the names on the certificate")});
    check_certificate(settings, name, faults);
    if (!faults.empty())
        return tl::unexpected(to_error(faults, tr("edit {}, then: commentoctl cert renew", name)));
    return settings;
}

std::string problem_with_assignment(std::string_view name, std::string_view value) {
    const Key* key = find_key(name);
    if (key == nullptr)
        return problem_with_unknown(name);
    std::string problem = value.empty() ? "" : problem_with(*key, value);
    // An address may hold a password, in the wrong place or not.
    const bool hides = key->secrecy == Secrecy::secret || key->type == ValueType::database_url;
    if (problem.empty() || hides || !is_printable(value))
        return problem;
    return fmt::format("\"{}\" {}", value, problem);
}

Error to_error(const std::vector<Fault>& faults, std::string hint) {
    std::string message;
    for (const auto& fault : faults)
        message += (message.empty() ? "" : "\n") + to_string(fault);
    return {ErrorCode::settings, std::move(message), std::move(hint)};
}

const Value& Settings::value(std::string_view key) const {
    const auto found = values_.find(key);
    if (found == values_.end() && common_)
        return common_->value(key);
    if (found == values_.end())
        throw std::logic_error(fmt::format("{} is not in the settings table", key));
    return found->second;
}

int Settings::number(std::string_view key) const {
    const std::string& digits = text(key);
    int number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

std::string Settings::own_address() const {
    constexpr int kHttps = 443;
    const int port = number("HTTPS_PORT");
    return fmt::format("https://{}{}", text("DOMAIN"), port == kHttps ? "" : fmt::format(":{}", port));
}

std::string Settings::origin() const {
    std::string origin = text("COMMENTO_ORIGIN");
    if (origin.empty())
        origin = own_address();
    while (origin.ends_with('/'))
        origin.pop_back();
    return origin;
}

std::string Settings::base_path() const { return path_of(origin()); }

std::string Settings::https_address() const {
    const std::string address = origin();
    // Sending them to http:// would send them round for ever.
    return address.starts_with("https://") ? address.substr(0, address.find_first_of("/?#", begin_of_host(address)))
                                           : own_address();
}

std::vector<std::string> Settings::site_names() const {
    return canonical_names(text("DOMAIN") + " " + text("TLS_NAMES"));
}

std::vector<std::string> Settings::redirect_names() const { return canonical_names(text("REDIRECT_NAMES")); }

std::vector<std::string> Settings::certificate_names() const {
    return canonical_names(text("DOMAIN") + " " + text("TLS_NAMES") + " " + text("REDIRECT_NAMES"));
}

std::string Settings::acme_directory() const {
    if (!text("ACME_DIRECTORY").empty())
        return text("ACME_DIRECTORY");
    return flag("TEST") ? "https://acme-staging-v02.api.letsencrypt.org/directory"
                        : "https://acme-v02.api.letsencrypt.org/directory";
}

std::vector<std::pair<std::string, std::string>> Settings::application_settings() const {
    std::vector<std::pair<std::string, std::string>> set;
    for (const auto& key : all_keys()) {
        const std::string& value = text(key.name);
        if (key.name.starts_with("COMMENTO_") && key.secrecy == Secrecy::open && !value.empty())
            set.emplace_back(key.name, value);
    }
    return set;
}

} // namespace commento
