#include "cert/authority.hpp"

#include "acme/jose.hpp"
#include "base/files.hpp"
#include "cert/account.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

constexpr std::chrono::seconds kLimit{120};

/// ACME_EAB_KID and the key in ACME_EAB_KEY_FILE; nothing where they are not set.
Result<std::optional<ExternalAccount>> external_account(const Settings& settings) {
    const std::string& kid = settings.text("ACME_EAB_KID");
    if (kid.empty())
        return std::nullopt;
    const std::string& file = settings.text("ACME_EAB_KEY_FILE");
    COMMENTO_ASSIGN(std::string text, read_file(file));
    std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0 || c == '='; });
    auto key = decode_base64url(text);
    if (!key)
        return fail(ErrorCode::settings, fmt::format("{} holds no MAC key in base64url", file),
                    fmt::format("{} names it; put the key there as the authority gave it",
                                settings.value("ACME_EAB_KEY_FILE").origin));
    return ExternalAccount{kid, *std::move(key)};
}

/// Finds out by which of two keys the authority knows the account, after a change that was cut off.
Result<void> settle_key_change(AcmeClient& client, const Paths& paths, const std::string& directory) {
    COMMENTO_ASSIGN(PrivateKey next, prepared_key(paths, directory));
    if (!next || client.account().url.empty())
        return {};
    COMMENTO_ASSIGN(const bool changed, client.is_known(std::move(next)));
    spdlog::info("the change of the account's key was cut off: {} knows the {} one", directory,
                 changed ? "new" : "former");
    return settle_key(paths, directory, changed ? KeyChange::done : KeyChange::refused);
}

} // namespace

Result<AcmeClient> client_for(const Paths& paths, const Settings& settings, const std::string& directory) {
    HttpClient http;
    if (const std::string& file = settings.text("ACME_CA_FILE"); !file.empty())
        http.trust_only(file);
    COMMENTO_ASSIGN(Account account, load_account(paths, directory));
    return AcmeClient(std::move(http), directory, std::move(account), kLimit);
}

Result<void> sign_in(AcmeClient& client, const Paths& paths, const Settings& settings, const std::string& directory) {
    COMMENTO_CHECK(settle_key_change(client, paths, directory));
    COMMENTO_ASSIGN(const auto external, external_account(settings));
    COMMENTO_CHECK(client.sign_in(settings.text("EMAIL"), external));
    return save_account(paths, directory, client.account());
}

Result<AcmeClient> sign_in(const Paths& paths, const Settings& settings, const std::string& directory) {
    COMMENTO_ASSIGN(AcmeClient client, client_for(paths, settings, directory));
    COMMENTO_CHECK(sign_in(client, paths, settings, directory));
    return client;
}

} // namespace commento
