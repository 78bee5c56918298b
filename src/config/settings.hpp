#pragma once
// The settings as a helper sees them: every key has a value and an origin.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/env_file.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace commento {

struct Value {
    std::string text;
    std::string origin; ///< `FILE:LINE`, or `default`
};

/// The path of an http or https address (RFC 3986, 3.3), without what follows it; empty where it has none.
std::string path_of(std::string_view address);

struct Examined;

class Settings {
  public:
    /// Reads both files and checks every value. All faults come in one error (ErrorCode::settings), a line each with
    /// file, line, key and what would be right. A secrets file that the caller may not read is left out: only
    /// root and commento may, and units that systemd hands it to as the credential `secrets.conf`. The credential
    /// `commento-database-password` stands for DATABASE_PASSWORD.
    static Result<Settings> load(const Paths& paths);

    /// The settings of a further certificate: those of its file (certificates/NAME.conf) over `common`, the host's own.
    /// ErrorCode::settings as load().
    static Result<Settings> load_further(const std::filesystem::path& file, std::shared_ptr<const Settings> common);

    /// The same of a text that is not in place yet; `file` is for messages.
    static Result<Settings> read_further(std::string_view text, const std::filesystem::path& file,
                                         std::shared_ptr<const Settings> common);

    /// The same without an end at the first fault, for who shows or mends the settings: the texts of the two files,
    /// which are named as `paths` says.
    static Examined examine(std::string_view settings_text, std::string_view secrets_text, const Paths& paths);

    /// examine() of the files as load() reads them, for who has to do with what is usable of them. ErrorCode::settings
    /// where there are none.
    static Result<Examined> examine_files(const Paths& paths);

    const Value& value(std::string_view key) const;
    const std::string& text(std::string_view key) const { return value(key).text; }
    bool flag(std::string_view key) const { return text(key) == "true"; }
    int number(std::string_view key) const;

    /// Address of the site as readers see it: COMMENTO_ORIGIN, or built from DOMAIN and HTTPS_PORT. No slash at the
    /// end.
    std::string origin() const;

    /// The path in it, which comes before every address of the application; mostly empty. No slash at the end.
    std::string base_path() const;

    /// Where readers are sent who come without HTTPS: origin() without its path, and always https.
    std::string https_address() const;

    /// Directory of the ACME authority: ACME_DIRECTORY, else Let's Encrypt's, by TEST its staging one.
    std::string acme_directory() const;

    /// Names that the comment server answers to: DOMAIN, then TLS_NAMES, each once, in lower case.
    std::vector<std::string> site_names() const;

    /// Names that lead readers to DOMAIN: REDIRECT_NAMES, each once, in lower case.
    std::vector<std::string> redirect_names() const;

    /// Every name that the certificate is for: site_names(), then redirect_names().
    std::vector<std::string> certificate_names() const;

    /// COMMENTO_* keys that are set, without secrets.
    std::vector<std::pair<std::string, std::string>> application_settings() const;

  private:
    std::string own_address() const;

    std::map<std::string, Value, std::less<>> values_;
    std::shared_ptr<const Settings> common_{}; ///< asked for what is not in values_
};

/// Values, those with a fault too, and everything that is wrong with them.
struct Examined {
    Settings settings;
    std::vector<Fault> faults;
};

/// What is wrong with one assignment by itself, an unknown key too; empty when nothing is. Never names a secret.
std::string problem_with_assignment(std::string_view name, std::string_view value);

/// One error for all of them (ErrorCode::settings), a line each.
Error to_error(const std::vector<Fault>& faults, std::string hint);

} // namespace commento
