#include "cert/lego.hpp"

#include "acme/json.hpp"

namespace commento {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// accounts/HOST or accounts/HOST_PORT, of the directory; its path is nowhere.
std::string address_of(const fs::path& host) {
    std::string address = "https://" + host.filename().string();
    if (const auto port = address.rfind('_'); port != std::string::npos)
        address[port] = ':';
    return address + "/";
}

/// Folder accounts/HOST/EMAIL.
ForeignAccount read_account(const fs::path& folder) {
    const json account = read_object(folder / "account.json");
    const json registration = account.value("registration", json::object());
    const fs::path key_file = folder / "keys" / (folder.filename().string() + ".key");
    return {key_file,
            {{}, address_of(folder.parent_path())},
            {read_key(key_file), text_field(registration, "uri"), text_field(account, "email")}};
}

bool holds_issuer(const fs::path& file) { return file.stem().extension() == ".issuer"; }

} // namespace

Foreign read_lego(const fs::path& folder) {
    Foreign found;
    for (const auto& chain : files_in(folder / "certificates", ".crt")) {
        if (holds_issuer(chain))
            continue;
        const std::string address = text_field(read_object(fs::path(chain).replace_extension(".json")), "certUrl");
        add_certificate(found, {chain, {}, {{}, address}}, fs::path(chain).replace_extension(".key"));
    }
    for (const auto& host : folders_in(folder / "accounts"))
        for (const auto& account : folders_in(host))
            add_account(found, read_account(account));
    return found;
}

} // namespace commento
