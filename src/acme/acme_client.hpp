#pragma once
// The protocol of ACME authorities (RFC 8555), over HTTP; it touches no file. IP addresses: RFC 8738; renewal
// information: RFC 9773; profiles: draft-aaron-acme-profiles.
//
// Failures are ErrorCode::network where the authority was not reached, broke off or fell silent, and
// ErrorCode::authority where it refused or gave an answer that makes no sense.

#include "acme/challenge.hpp"
#include "acme/key.hpp"
#include "base/error.hpp"
#include "net/http.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

struct Account {
    PrivateKey key;      ///< one that sign_jws() can use
    std::string url{};   ///< given by the authority ("kid"); empty: not registered yet
    std::string email{}; ///< that the authority knows
    std::string terms{}; ///< address of the terms of service that were agreed to
};

/// What an authority gives to its customers to bind their account to (RFC 8555, 7.3.4).
struct ExternalAccount {
    std::string kid;
    std::string mac_key; ///< bytes, decoded
};

struct OrderRequest {
    std::vector<std::string> names; ///< host names, wildcards, IP addresses
    std::string profile{};          ///< empty: the authority's default
    std::string replaces{};         ///< renewal identifier of the certificate that this one follows; may be empty
};

struct Order {
    std::string url;
    std::string status; ///< pending, ready, processing, valid, invalid
    std::string finalize;
    std::vector<std::string> authorizations; ///< addresses
    std::string certificate{};               ///< address, once valid
};

/// When the authority wants a certificate renewed (RFC 9773, 4.2); seconds since 1970.
struct RenewalWindow {
    std::int64_t start;
    std::int64_t end;
    std::int64_t ask_again;    ///< by its Retry-After, at least a minute and at most a day from now; six hours without
    std::string explanation{}; ///< an address that says why; may be empty
};

/// The reasons of RFC 5280, 5.3.1, that an account may give, with their words; nothing for another word.
std::optional<int> revocation_reason(std::string_view word);

class AcmeClient {
  public:
    /// `limit` is for the whole run: no request begins after it.
    AcmeClient(HttpClient http, std::string directory, Account account, std::chrono::seconds limit);

    /// Reads the directory, and registers the account where it is not yet, agreeing to the terms of service; or tells
    /// the authority of a changed address.
    Result<void> sign_in(const std::string& email, const std::optional<ExternalAccount>& external = std::nullopt);

    /// Address of renewal information; empty where the authority has none. After sign_in().
    const std::string& renewal_info() const { return directory_.renewal_info; }

    /// Where the authority refuses `replaces`, the order is made without it (RFC 9773, 5). After sign_in().
    Result<Order> order(const OrderRequest& request);

    /// An order made before, as it stands now.
    Result<Order> find_order(const std::string& url);

    /// The challenges of kind `type` that an order still waits for: one for each name without a valid authorization.
    Result<std::vector<Challenge>> challenges(const Order& order, std::string_view type);

    /// Tells the authority to look for the answer now.
    Result<void> accept(const Challenge& challenge);

    /// Waits until every name is proved: the order is ready, or past that. Where one fails, the error says why, with
    /// the authority's own words for each name.
    Result<Order> await_ready(const Order& order);

    /// Sends the request (PKCS #10, DER) where the order is ready, waits, and downloads the chain, PEM: the one that
    /// leads to the root of that common name where there is one, else the authority's default.
    Result<std::string> finalize(Order order, std::string_view request, const std::string& preferred_root);

    /// Revokes a certificate (PEM) that this account got.
    Result<void> revoke(std::string_view pem, int reason);

    /// Replaces the account's key (RFC 8555, 7.3.5).
    Result<void> change_key(PrivateKey key);

    /// Whether the authority knows this account, which has an address, by that key; takes the key where it does.
    /// Registers nothing. To be called instead of sign_in().
    Result<bool> is_known(PrivateKey key);

    /// Closes the account for good (RFC 8555, 7.3.6).
    Result<void> deactivate();

    /// As registered by now: an account that the authority no longer knew has another URL.
    const Account& account() const { return account_; }

    /// How many seconds the authority wants to be left alone, by its last refusal.
    std::optional<std::int64_t> retry_after() const { return refusal_.retry_after; }

    /// Type of the last refusal, without the prefix of ACME's own; empty where there was none.
    const std::string& refusal() const { return refusal_.type; }

    /// The names that the authority did not find proved, in await_ready().
    const std::vector<std::string>& failed_names() const { return failed_names_; }

    /// Whether an order was made: authorities count these.
    bool has_ordered() const { return has_ordered_; }

    /// Whether the account was made in this run: authorities count these, too.
    bool has_registered() const { return registered_now_; }

  private:
    struct Directory {
        std::string new_nonce{};
        std::string new_account{};
        std::string new_order{};
        std::string revoke_cert{};  ///< empty where it has none
        std::string key_change{};   ///< empty where it has none
        std::string renewal_info{}; ///< empty where it has none
        std::string terms{};
        std::map<std::string, std::string> profiles{}; ///< names, with what the authority says of them
        bool external_account_required = false;
    };
    struct Refusal {
        std::string type{};
        std::optional<std::int64_t> retry_after{};
    };
    enum class Signer { key, account };

    Result<void> read_directory();
    Result<void> check_profile(const std::string& profile) const;
    Result<void> register_account();
    Result<void> update_contact(const std::string& email);
    Result<HttpResponse> send(const HttpRequest& request);
    Result<std::string> take_nonce();
    Result<std::string> sign(const std::string& url, const std::string& payload, Signer signer);
    Result<HttpResponse> post_signed(const std::string& url, const std::string& payload, Signer signer);
    Result<HttpResponse> post(const std::string& url, const std::string& payload);
    Result<nlohmann::json> post_for_object(const std::string& url, const std::string& payload);
    Result<Order> place(const OrderRequest& request);
    Result<Order> poll(const std::string& url, std::span<const std::string_view> undecided,
                       std::optional<std::chrono::milliseconds> asked);
    tl::unexpected<Error> explain_failure(const Order& order);
    Result<HttpResponse> download(const std::string& url);
    Result<std::string> choose_chain(HttpResponse standard, const std::string& url, const std::string& preferred_root);
    tl::unexpected<Error> refused(const HttpRequest& request, const HttpResponse& response);

    HttpClient http_;
    std::string directory_url_;
    Account account_;
    std::chrono::steady_clock::time_point deadline_;
    std::string email_{};
    std::optional<ExternalAccount> external_{};
    Directory directory_{};
    std::string nonce_{};
    Refusal refusal_{};
    std::vector<std::string> failed_names_{};
    bool registered_now_ = false;
    bool has_ordered_ = false;
};

/// The identifier of a certificate (PEM) for renewal information and `replaces` (RFC 9773, 4.1); empty where the
/// certificate names no key of its issuer.
std::string renewal_identifier(std::string_view pem);

/// Asks for a certificate's window at `address`, the directory's "renewalInfo"; needs no account.
Result<RenewalWindow> ask_renewal_window(HttpClient& http, const std::string& address, const std::string& identifier);

} // namespace commento
