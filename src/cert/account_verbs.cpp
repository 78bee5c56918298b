#include "cert/account_verbs.hpp"

#include "acme/json.hpp"
#include "cert/account.hpp"
#include "cert/authority.hpp"
#include "cert/renew.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

using nlohmann::json;

/// What a verb works on, under the lock of runs.
struct Desk {
    Settings settings;
    std::string directory;
    Fd lock;
};

Result<Desk> open_desk(const Paths& paths, const std::string& directory) {
    COMMENTO_ASSIGN(Settings settings, Settings::load(paths));
    std::string chosen = directory.empty() ? settings.acme_directory() : directory;
    COMMENTO_ASSIGN(Fd lock, lock_runs(paths));
    return Desk{std::move(settings), std::move(chosen), std::move(lock)};
}

Result<Desk> open_desk_with_account(const Paths& paths, const std::string& directory) {
    COMMENTO_ASSIGN(Desk desk, open_desk(paths, directory));
    if (!has_account(paths, desk.directory))
        return fail(ErrorCode::settings, fmt::format("there is no account with {}", desk.directory),
                    "commentoctl cert account show lists them");
    return desk;
}

} // namespace

Result<std::string> describe_accounts(const Paths& paths) {
    json accounts = json::array();
    for (const auto& directory : account_directories(paths)) {
        COMMENTO_ASSIGN(const Account account, read_account(paths, directory));
        accounts.push_back({{"directory", directory},
                            {"url", account.url},
                            {"email", account.email},
                            {"terms", account.terms},
                            {"key_type", type_of(account.key.get())}});
    }
    return accounts.dump(2, ' ', false, json::error_handler_t::replace);
}

Result<void> update_account(const Paths& paths, const std::string& directory) {
    COMMENTO_ASSIGN(const Desk desk, open_desk(paths, directory));
    COMMENTO_ASSIGN(const AcmeClient client, sign_in(paths, desk.settings, desk.directory));
    spdlog::info("{} knows the account {} with the address {}", desk.directory, client.account().url,
                 client.account().email);
    return {};
}

Result<void> roll_account_key(const Paths& paths, const std::string& directory) {
    COMMENTO_ASSIGN(const Desk desk, open_desk_with_account(paths, directory));
    COMMENTO_ASSIGN(AcmeClient client, sign_in(paths, desk.settings, desk.directory));
    COMMENTO_ASSIGN(PrivateKey key, prepare_key(paths, desk.directory));
    auto changed = client.change_key(std::move(key));
    // Without an answer, either key may be the one that counts now: the next run asks.
    if (!changed && changed.error().code == ErrorCode::network)
        return changed;
    COMMENTO_CHECK(settle_key(paths, desk.directory, changed ? KeyChange::done : KeyChange::refused));
    if (changed)
        spdlog::info("the account {} has a new key", client.account().url);
    return changed;
}

Result<void> deactivate_account(const Paths& paths, const std::string& directory) {
    COMMENTO_ASSIGN(const Desk desk, open_desk_with_account(paths, directory));
    COMMENTO_ASSIGN(AcmeClient client, sign_in(paths, desk.settings, desk.directory));
    COMMENTO_CHECK(client.deactivate());
    COMMENTO_CHECK(forget_account(paths, desk.directory));
    spdlog::info("the account {} is closed; the next certificate is asked for with a new one", client.account().url);
    return {};
}

} // namespace commento
