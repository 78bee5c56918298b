#include "cert/account.hpp"

#include "base/files.hpp"
#include "acme/json.hpp"

#include <array>
#include <fmt/format.h>
#include <openssl/evp.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolder = 0700;
constexpr mode_t kFile = 0600;

/// HOST-HASH: readable, and other for each directory of one host.
std::string folder_name(const std::string& directory) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    EVP_Digest(directory.data(), directory.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    const auto host = directory.find("://") + 3;
    return fmt::format("{}-{:02x}{:02x}{:02x}{:02x}",
                       directory.substr(host, directory.find_first_of(":/", host) - host), digest[0], digest[1],
                       digest[2], digest[3]);
}

fs::path folder_of(const Paths& paths, const std::string& directory) {
    return paths.acme() / "accounts" / folder_name(directory);
}

Result<PrivateKey> load_key(const fs::path& file) {
    COMMENTO_ASSIGN(const std::string pem, read_file(file));
    PrivateKey key = parse_key(pem);
    if (!key)
        return fail(ErrorCode::storage, fmt::format("{} holds no private key", file.string()),
                    fmt::format("put it back from a backup, or remove {}: a new account is made then",
                                file.parent_path().string()));
    return key;
}

Result<PrivateKey> make_and_save_key(const fs::path& file) {
    COMMENTO_ASSIGN(PrivateKey key, make_key("ecdsa-p256"));
    COMMENTO_CHECK(make_folder(file.parent_path(), kFolder));
    COMMENTO_CHECK(write_file(file, to_pem(key.get()), kFile));
    return key;
}

} // namespace

Result<Account> load_account(const Paths& paths, const std::string& directory) {
    const fs::path folder = folder_of(paths, directory);
    const fs::path key_file = folder / "key.pem";
    remove_temporaries(folder);
    Account account;
    if (!fs::exists(key_file)) {
        COMMENTO_ASSIGN(account.key, make_and_save_key(key_file));
        return account;
    }
    COMMENTO_ASSIGN(account.key, load_key(key_file));
    // Without it, the authority finds the account by its key.
    const auto text = read_file(folder / "account.json");
    const auto known = text ? parse_object(*text) : std::nullopt;
    if (known) {
        account.url = text_field(*known, "url");
        account.email = text_field(*known, "email");
    }
    return account;
}

Result<void> save_account(const Paths& paths, const std::string& directory, const Account& account) {
    const nlohmann::json known = {{"url", account.url}, {"email", account.email}};
    COMMENTO_CHECK(update_file(folder_of(paths, directory) / "account.json", known.dump(2) + "\n", kFile));
    return {};
}

} // namespace commento
