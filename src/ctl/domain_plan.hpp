#pragma once
// What a change of DOMAIN makes of the settings, and what is noted of it on disk. Touches no unit.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"
#include "ctl/setup.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

/// Values by their keys; an empty one stands for the default.
using KeyValues = std::map<std::string, std::string>;

enum class DomainPhase {
    certificate, ///< the former name is served; the new one leads to it
    application  ///< the new name is served; the former one leads to it
};

struct DomainChange {
    std::string from;
    std::string to;
    DomainPhase phase;
    KeyValues before; ///< of the keys that it changes, before it began
    std::string text; ///< of the settings file, before it began
};

/// Of the keys that a change of DOMAIN may change, the values that count.
KeyValues domain_keys(const Settings& settings);

/// While the certificate is got: the new name leads to the present one, and is on the certificate with it.
KeyValues with_both_names(const KeyValues& before, const std::string& to);

/// Afterwards: the new name is the site's, and the former one leads to it. COMMENTO_ORIGIN and COMMENTO_CDN_PREFIX
/// follow where they have the former name.
KeyValues with_new_domain(const KeyValues& before, const std::string& to);

/// The files with these values in them.
Result<SettingsFiles> with_values(const SettingsFiles& files, const KeyValues& values, const Paths& paths);

/// The files as they were before the change, to the letter where nobody else has written to them since.
Result<SettingsFiles> without_change(const SettingsFiles& present, const DomainChange& change, const Paths& paths);

/// Whether a certificate's names are good for a name: it is one of them, or a wildcard covers it (RFC 6125).
bool covers(const std::vector<std::string>& names, const std::string& name);

/// What an operator has to do elsewhere, a line each: sign-in services know the server by its address.
std::vector<std::string> chores_after(const Settings& settings);

/// What is noted: the change that is under way, and else the name to go back to.
struct DomainRecord {
    std::optional<DomainChange> change;
    std::string former; ///< empty where there was no change
};

std::string to_text(const DomainRecord& record);

/// ErrorCode::storage where the text is no record.
Result<DomainRecord> parse_domain_record(std::string_view text);

/// An empty record where there is no file.
Result<DomainRecord> read_domain_record(const Paths& paths);

Result<void> write_domain_record(const DomainRecord& record, const Paths& paths);

} // namespace commento
