#pragma once
// The certificates of this host: the comment server's own, and those that files in certificates/ ask for.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "cert/store.hpp"
#include "config/settings.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace commento {

/// Name of the comment server's own.
inline constexpr const char* kMain = "main";

/// One certificate: its settings, where it is kept, and where what is known of its renewal is kept.
struct Site {
    std::string name; ///< kMain, or that of its file without `.conf`
    std::shared_ptr<const Settings> settings;
    Store store;
    std::filesystem::path state; ///< folder of its failures, order and renewal information
};

/// Whether a word can name a certificate: letters, digits, dots, hyphens and underscores, not a dot first; not kMain.
bool is_site_name(std::string_view word);

Site main_site(const Paths& paths, std::shared_ptr<const Settings> settings);

struct NamedSite {
    std::string name;
    Result<Site> site; ///< ErrorCode::settings where its file is wrong
};

/// The further ones, by name. A fault in one file is told with it and hinders no other.
std::vector<NamedSite> further_sites(const Paths& paths, const std::shared_ptr<const Settings>& settings);

} // namespace commento
