#include "cert/dehydrated.hpp"

#include "acme/jose.hpp"
#include "acme/json.hpp"

namespace commento {
namespace {

namespace fs = std::filesystem;

/// Its folder's name is the directory's address and a line end, base64url.
std::string directory_of(const fs::path& folder) {
    std::string directory = decode_base64url(folder.filename().string()).value_or(std::string());
    if (directory.ends_with('\n'))
        directory.pop_back();
    return directory;
}

ForeignAccount read_account(const fs::path& folder) {
    const fs::path key_file = folder / "account_key.pem";
    return {key_file,
            {directory_of(folder), {}},
            {read_key(key_file), text_field(read_object(folder / "account_id.json"), "url"),
             first_email(read_object(folder / "registration_info.json"))}};
}

bool is_closed(const fs::path& folder) {
    std::error_code fault;
    return fs::exists(folder / "deactivated", fault);
}

} // namespace

Foreign read_dehydrated(const fs::path& folder) {
    Foreign found;
    for (const auto& inner : folders_in(folder / "certs"))
        add_certificate(found, {inner / "fullchain.pem", {}}, inner / "privkey.pem");
    for (const auto& account : folders_with("account_key.pem", folder / "accounts")) {
        if (!is_closed(account))
            add_account(found, read_account(account));
    }
    return found;
}

} // namespace commento
