#include "cert/account.hpp"

#include "acme/jose.hpp"
#include "acme/json.hpp"
#include "base/files.hpp"
#include "base/hex.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolder = 0700;
constexpr mode_t kFile = 0600;

fs::path accounts(const Paths& paths) { return paths.acme() / "accounts"; }

/// HOST-HASH: readable, and other for each directory of one host.
std::string folder_name(const std::string& directory) {
    constexpr std::size_t kHash = 4; // bytes
    const auto host = directory.find("://") + 3;
    const std::string digest = sha256(directory);
    return fmt::format("{}-{}", directory.substr(host, directory.find_first_of(":/", host) - host),
                       to_hex({reinterpret_cast<const unsigned char*>(digest.data()), kHash}));
}

fs::path folder_of(const Paths& paths, const std::string& directory) {
    return accounts(paths) / folder_name(directory);
}

Result<PrivateKey> load_key(const fs::path& file) {
    COMMENTO_ASSIGN(const std::string pem, read_file(file));
    PrivateKey key = parse_key(pem);
    if (!key || !can_sign(key.get()))
        return fail(ErrorCode::storage, fmt::format("{} holds no private key that an account can have", file.string()),
                    fmt::format("put it back from a backup, or remove {}: a new account is made then",
                                file.parent_path().string()));
    return key;
}

Result<void> save_key(const fs::path& file, const EVP_PKEY* key) {
    COMMENTO_CHECK(make_folder(file.parent_path(), kFolder));
    return write_file(file, to_pem(key), kFile);
}

std::optional<nlohmann::json> read_object(const fs::path& file) {
    const auto text = read_file(file);
    return text ? parse_object(*text) : std::nullopt;
}

} // namespace

Result<Account> read_account(const Paths& paths, const std::string& directory) {
    const fs::path folder = folder_of(paths, directory);
    Account account;
    COMMENTO_ASSIGN(account.key, load_key(folder / "key.pem"));
    // Without it, the authority finds the account by its key.
    if (const auto known = read_object(folder / "account.json")) {
        account.url = text_field(*known, "url");
        account.email = text_field(*known, "email");
        account.terms = text_field(*known, "terms");
    }
    return account;
}

Result<Account> load_account(const Paths& paths, const std::string& directory) {
    const fs::path folder = folder_of(paths, directory);
    const fs::path key_file = folder / "key.pem";
    remove_temporaries(folder);
    if (fs::exists(key_file))
        return read_account(paths, directory);
    Account account;
    COMMENTO_ASSIGN(account.key, make_key("ecdsa-p256"));
    COMMENTO_CHECK(save_key(key_file, account.key.get()));
    return account;
}

Result<void> save_account(const Paths& paths, const std::string& directory, const Account& account) {
    const nlohmann::json known = {
        {"directory", directory}, {"url", account.url}, {"email", account.email}, {"terms", account.terms}};
    const std::string text = known.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    COMMENTO_CHECK(update_file(folder_of(paths, directory) / "account.json", text, kFile));
    return {};
}

Result<bool> adopt_account(const Paths& paths, const std::string& directory, const Account& account) {
    const fs::path folder = folder_of(paths, directory);
    if (fs::exists(folder / "account.json"))
        return false;
    COMMENTO_CHECK(save_key(folder / "key.pem", account.key.get()));
    COMMENTO_CHECK(save_account(paths, directory, account));
    return true;
}

bool has_account(const Paths& paths, const std::string& directory) {
    return fs::exists(folder_of(paths, directory) / "account.json");
}

std::vector<std::string> account_directories(const Paths& paths) {
    std::vector<std::string> directories;
    std::error_code fault;
    for (fs::directory_iterator entry(accounts(paths), fault), end; !fault && entry != end; entry.increment(fault)) {
        const auto known = read_object(entry->path() / "account.json");
        std::string directory = known ? text_field(*known, "directory") : std::string();
        // One that was closed has another name.
        if (!directory.empty() && folder_of(paths, directory) == entry->path())
            directories.push_back(std::move(directory));
    }
    return directories;
}

Result<void> forget_account(const Paths& paths, const std::string& directory) {
    const fs::path folder = folder_of(paths, directory);
    const fs::path closed = folder.string() + ".closed";
    std::error_code fault;
    fs::remove_all(closed, fault); // of an account that was closed before
    fs::rename(folder, closed, fault);
    if (fault)
        return fail(ErrorCode::storage, fmt::format("cannot rename {}: {}", folder.string(), fault.message()));
    return sync_folder(accounts(paths));
}

Result<PrivateKey> prepare_key(const Paths& paths, const std::string& directory) {
    COMMENTO_ASSIGN(PrivateKey key, make_key("ecdsa-p256"));
    COMMENTO_CHECK(save_key(folder_of(paths, directory) / "next-key.pem", key.get()));
    return key;
}

Result<PrivateKey> prepared_key(const Paths& paths, const std::string& directory) {
    const fs::path file = folder_of(paths, directory) / "next-key.pem";
    return fs::exists(file) ? load_key(file) : PrivateKey();
}

Result<void> settle_key(const Paths& paths, const std::string& directory, KeyChange outcome) {
    const fs::path folder = folder_of(paths, directory);
    const fs::path next = folder / "next-key.pem";
    const bool done = outcome == KeyChange::done ? ::rename(next.c_str(), (folder / "key.pem").c_str()) == 0
                                                 : ::unlink(next.c_str()) == 0;
    if (!done)
        return fail_errno(ErrorCode::storage, "cannot settle the change of the key of " + folder.string(), errno);
    return sync_folder(folder);
}

} // namespace commento
