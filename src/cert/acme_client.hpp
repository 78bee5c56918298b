#pragma once
// The protocol of ACME authorities (RFC 8555) with http-01 challenges, over HTTP; it touches no file.
//
// Failures are ErrorCode::network where the authority was not reached, broke off or fell silent, and
// ErrorCode::authority where it refused or gave an answer that makes no sense.

#include "base/error.hpp"
#include "cert/key.hpp"
#include "net/http.hpp"

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace commento {

struct Account {
    PrivateKey key;      ///< P-256
    std::string url{};   ///< given by the authority ("kid"); empty: not registered yet
    std::string email{}; ///< that the authority knows
};

struct Order {
    std::string url;
    std::string finalize;
    std::string authorization; ///< the only one, since orders here are for one name
};

struct Challenge {
    std::string url;
    std::string token;   ///< letters of base64url only: safe as a file name
    std::string content; ///< the key authorization that the authority looks for
};

class AcmeClient {
  public:
    /// `limit` is for the whole run: no request begins after it.
    AcmeClient(HttpClient http, std::string directory, Account account, std::chrono::seconds limit);

    /// Reads the directory, and registers the account where it is not yet, agreeing to the terms of service; or tells
    /// the authority of a changed address.
    Result<void> sign_in(const std::string& email);

    Result<Order> order(const std::string& domain);

    /// The http-01 challenge of an order; nothing where the authority needs no proof again.
    Result<std::optional<Challenge>> challenge(const Order& order);

    /// Tells the authority to look for the content now.
    Result<void> accept(const Challenge& challenge);

    /// Waits until the authorization is valid. Where it fails, the error says why.
    Result<void> await_ready(const Order& order);

    /// Sends the request (PKCS #10, DER), waits, and downloads the chain, PEM.
    Result<std::string> finalize(const Order& order, std::string_view request);

    /// As registered by now: an account that the authority no longer knew has another URL.
    const Account& account() const { return account_; }

    /// How many seconds the authority wants to be left alone, by its last refusal.
    std::optional<std::int64_t> retry_after() const { return refusal_.retry_after; }

    /// Whether an order was made: authorities count these.
    bool has_ordered() const { return has_ordered_; }

  private:
    struct Directory {
        std::string new_nonce{};
        std::string new_account{};
        std::string new_order{};
    };
    struct Refusal {
        std::string type{};
        std::optional<std::int64_t> retry_after{};
    };
    enum class Signer { key, account };

    Result<void> read_directory();
    Result<void> register_account(const std::string& email);
    Result<void> update_contact(const std::string& email);
    Result<HttpResponse> send(const HttpRequest& request);
    Result<std::string> take_nonce();
    Result<std::string> sign(const std::string& url, const std::string& payload, Signer signer);
    Result<HttpResponse> post_signed(const std::string& url, const std::string& payload, Signer signer);
    Result<HttpResponse> post(const std::string& url, const std::string& payload);
    Result<nlohmann::json> post_for_object(const std::string& url, const std::string& payload);
    Result<nlohmann::json> poll(const std::string& url);
    tl::unexpected<Error> refused(const HttpRequest& request, const HttpResponse& response);

    HttpClient http_;
    std::string directory_url_;
    Account account_;
    std::chrono::steady_clock::time_point deadline_;
    Directory directory_{};
    std::string nonce_{};
    Refusal refusal_{};
    bool registered_now_ = false;
    bool has_ordered_ = false;
};

} // namespace commento
