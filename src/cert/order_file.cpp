#include "cert/order_file.hpp"

#include "acme/jose.hpp"
#include "acme/json.hpp"
#include "base/files.hpp"

#include <cerrno>
#include <unistd.h>

namespace commento {
namespace {

using nlohmann::json;

constexpr mode_t kFolder = 0755;
constexpr mode_t kFile = 0600;

std::filesystem::path file_of(const Site& site) { return site.state / "order.json"; }

} // namespace

std::optional<UnfinishedOrder> load_order(const Site& site) {
    const auto text = read_file(file_of(site));
    const auto stored = text ? parse_object(*text) : std::nullopt;
    if (!stored)
        return std::nullopt;
    try {
        UnfinishedOrder order{stored->at("directory").get<std::string>(),
                              stored->at("account").get<std::string>(),
                              stored->at("names").get<std::vector<std::string>>(),
                              stored->at("profile").get<std::string>(),
                              stored->at("follows").get<std::string>(),
                              stored->at("url").get<std::string>(),
                              parse_key(stored->at("key").get<std::string>()),
                              decode_base64url(stored->at("request").get<std::string>()).value_or("")};
        return order.key && !order.request.empty() ? std::optional(std::move(order)) : std::nullopt;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

Result<void> save_order(const Site& site, const UnfinishedOrder& order) {
    const json text = {{"directory", order.directory},   {"account", order.account},           {"names", order.names},
                       {"profile", order.profile},       {"follows", order.follows},           {"url", order.url},
                       {"key", to_pem(order.key.get())}, {"request", base64url(order.request)}};
    COMMENTO_CHECK(make_folder(site.state, kFolder));
    return write_file(file_of(site), text.dump(2, ' ', false, json::error_handler_t::replace) + "\n", kFile);
}

Result<void> forget_order(const Site& site) {
    if (::unlink(file_of(site).c_str()) == 0)
        return sync_folder(site.state);
    if (errno == ENOENT)
        return {};
    return fail_errno(ErrorCode::storage, "cannot remove " + file_of(site).string(), errno);
}

} // namespace commento
