#include "cert/certbot.hpp"

#include "acme/json.hpp"
#include "acme/jwk.hpp"
#include "base/files.hpp"

#include <algorithm>
#include <map>
#include <ranges>
#include <sstream>

namespace commento {
namespace {

namespace fs = std::filesystem;

/// What a lineage is renewed with; its file is in the language of ConfigObj: `key = value`, sections in brackets.
using Renewal = std::map<std::string, std::string, std::less<>>;

std::string trimmed(std::string text) {
    constexpr const char* kAround = " \t\r\"'";
    text.erase(0, std::min(text.find_first_not_of(kAround), text.size()));
    text.erase(text.find_last_not_of(kAround) + 1);
    return text;
}

Renewal read_renewal(const fs::path& file) {
    Renewal renewal;
    std::istringstream lines(read_file(file).value_or(std::string()));
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        if (equals != std::string::npos && !line.starts_with('#'))
            renewal[trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
    }
    return renewal;
}

std::string value_of(const Renewal& renewal, std::string_view key) {
    const auto found = renewal.find(key);
    return found == renewal.end() ? std::string() : found->second;
}

std::string profile_of(const Renewal& renewal) {
    const std::string required = value_of(renewal, "required_profile");
    return required.empty() ? value_of(renewal, "preferred_profile") : required;
}

/// Folder accounts/HOST/PATH/ID: its directory is https://HOST/PATH. `uri` is the account's own address.
ForeignAccount read_account(const fs::path& accounts, const fs::path& folder) {
    const std::string server = folder.parent_path().lexically_relative(accounts).string();
    const fs::path key_file = folder / "private_key.json";
    return {key_file,
            {"https://" + server, {}},
            {parse_jwk(read_object(key_file)), text_field(read_object(folder / "regr.json"), "uri")}};
}

} // namespace

Foreign read_certbot(const fs::path& folder) {
    Foreign found;
    std::vector<std::string> used; // accounts that certificates are renewed with
    for (const auto& live : folders_in(folder / "live")) {
        const Renewal renewal = read_renewal(folder / "renewal" / (live.filename().string() + ".conf"));
        used.push_back(value_of(renewal, "account"));
        add_certificate(found, {live / "fullchain.pem", {}, {value_of(renewal, "server"), {}}, profile_of(renewal)},
                        live / "privkey.pem");
    }
    auto accounts = folders_with("private_key.json", folder / "accounts");
    // Of several with one authority, the first is taken.
    std::stable_partition(accounts.begin(), accounts.end(), [&](const fs::path& account) {
        return std::ranges::find(used, account.filename().string()) != used.end();
    });
    for (const auto& account : accounts)
        add_account(found, read_account(folder / "accounts", account));
    return found;
}

} // namespace commento
