#include "cert/acme_sh.hpp"

#include "acme/json.hpp"
#include "base/files.hpp"
#include "config/env_file.hpp"

#include <algorithm>

namespace commento {
namespace {

namespace fs = std::filesystem;

/// A value of one of its files, assignments for a shell. They are never run here; empty where it is not plain text.
std::string value_in(const fs::path& file, std::string_view key) {
    const auto parsed = parse_env_file(read_file(file).value_or(std::string()), file.string());
    const auto found = std::ranges::find(parsed.assignments, key, &Assignment::key);
    return found == parsed.assignments.end() ? std::string() : found->value;
}

/// Address of the directory by its folder ca/HOST/PATH, which says no port.
std::string without_port(std::string directory) {
    const auto host = directory.find("://") + 3;
    const auto colon = directory.find(':', host);
    if (const auto path = directory.find('/', host); colon < path)
        directory.erase(colon, path - colon);
    return directory;
}

/// Of the directories that certificates came from, the one that a folder is of; else by the folder's name.
std::string directory_of(const fs::path& folder, const std::vector<ForeignCertificate>& certificates) {
    const std::string named = "https://" + folder.string();
    const auto found = std::ranges::find_if(certificates, [&](const ForeignCertificate& certificate) {
        return without_port(certificate.authority.directory) == named;
    });
    return found == certificates.end() ? named : found->authority.directory;
}

ForeignAccount read_account(const fs::path& folder, std::string directory) {
    const fs::path key_file = folder / "account.key";
    return {key_file,
            {std::move(directory), {}},
            {read_key(key_file), value_in(folder / "ca.conf", "ACCOUNT_URL"),
             first_email(read_object(folder / "account.json"))}};
}

/// Folder NAME, or NAME_ecc, with NAME.conf.
void add_domain(Foreign& found, const fs::path& folder) {
    constexpr const char* kElliptic = "_ecc";
    std::string name = folder.filename().string();
    if (name.ends_with(kElliptic))
        name.erase(name.rfind(kElliptic));
    const fs::path settings = folder / (name + ".conf");
    std::error_code fault;
    if (!fs::exists(settings, fault))
        return;
    add_certificate(found,
                    {folder / "fullchain.cer",
                     {},
                     {value_in(settings, "Le_API"), {}},
                     value_in(settings, "Le_Certificate_Profile")},
                    folder / (name + ".key"));
}

} // namespace

Foreign read_acme_sh(const fs::path& folder) {
    Foreign found;
    for (const auto& inner : folders_in(folder))
        add_domain(found, inner);
    const fs::path authorities = folder / "ca";
    for (const auto& account : folders_with("account.key", authorities)) {
        const fs::path place = account.lexically_relative(authorities);
        // Accounts that were closed are kept in ca/HOST/PATH/deactivated/ID.
        if (place.parent_path().filename() != "deactivated")
            add_account(found, read_account(account, directory_of(place, found.certificates)));
    }
    return found;
}

} // namespace commento
