#include "acme/acme_client.hpp"

#include "base/pace.hpp"
#include "base/clock.hpp"
#include "cert/history.hpp"
#include "acme/jose.hpp"
#include "acme/json.hpp"
#include "acme/problem.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// At every second nonce rejected, a request fails for good once in two million times.
constexpr int kNonceTries = 20;
constexpr std::size_t kLongestToken = 200; // it is a file's name
constexpr int kOk = 200;
constexpr int kRedirect = 300;
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kProblem = "application/problem+json";
constexpr std::string_view kChain = "application/pem-certificate-chain";

bool has_type(const HttpResponse& response, std::string_view type) {
    const std::string header = response.header("content-type");
    return std::string_view(header).substr(0, header.find(';')) == type;
}

std::string shown_type(const HttpResponse& response) { return printable(response.header("content-type")); }

/// RFC 8555, 6.1: HTTPS only. Anything but plain ASCII has no place in an address, a log, or a header.
bool is_address(std::string_view text) {
    return text.starts_with("https://") &&
           std::ranges::all_of(text, [](unsigned char c) { return std::isgraph(c) != 0; });
}

tl::unexpected<Error> makes_no_sense(const std::string& url, std::string_view what) {
    return fail(ErrorCode::authority, fmt::format("the answer of {} makes no sense: {}", url, what),
                "is ACME_DIRECTORY the directory of an ACME authority?");
}

Result<json> object_in(const HttpResponse& response, const std::string& url) {
    if (!has_type(response, kJson))
        return makes_no_sense(url, fmt::format("it is \"{}\" and not {}", shown_type(response), kJson));
    auto object = parse_object(response.body);
    if (!object)
        return makes_no_sense(url, "it is no JSON object, or nested too deep");
    return *std::move(object);
}

Result<std::string> address_in(const json& object, const char* name, const std::string& url) {
    std::string address = text_field(object, name);
    if (!is_address(address))
        return makes_no_sense(url, fmt::format("\"{}\" is missing or no https address", name));
    return address;
}

Result<std::string> location_of(const HttpResponse& response, const std::string& url) {
    std::string address = response.header("location");
    if (!is_address(address))
        return makes_no_sense(url, "its Location is missing or no https address");
    return address;
}

/// The problem document that an object of the protocol holds as its error.
std::optional<json> problem_in(const json& object) {
    const auto found = object.is_object() ? object.find("error") : object.end();
    return found != object.end() && found->is_object() ? std::optional(*found) : std::nullopt;
}

/// Of the challenge that failed.
std::optional<json> problem_in_challenges(const json& authorization) {
    for (const auto& challenge : list_field(authorization, "challenges")) {
        if (auto problem = problem_in(challenge))
            return problem;
    }
    return std::nullopt;
}

/// For an object of the protocol that did not become what it should.
tl::unexpected<Error> turned_bad(const std::string& url, const json& object, const std::optional<json>& problem) {
    const std::string message = fmt::format("{} turned \"{}\"", url, printable(text_field(object, "status")));
    if (!problem)
        return fail(ErrorCode::authority, message + "; no reason given");
    return fail(ErrorCode::authority, fmt::format("{}, {}", message, describe_problem(*problem)),
                hint_for_problem(text_field(*problem, "type")));
}

bool is_undecided(const json& order) {
    const std::string status = text_field(order, "status");
    return status == "pending" || status == "processing";
}

std::optional<Pace::Duration> asked_pause(const HttpResponse& response) {
    const auto seconds = parse_retry_after(response.header("retry-after"), now());
    return seconds ? std::optional<Pace::Duration>(std::chrono::seconds(*seconds)) : std::nullopt;
}

json contact(const std::string& email) { return json::array({"mailto:" + email}); }

} // namespace

AcmeClient::AcmeClient(HttpClient http, std::string directory, Account account, std::chrono::seconds limit)
    : http_(std::move(http)), directory_url_(std::move(directory)), account_(std::move(account)),
      deadline_(Clock::now() + limit) {}

Result<void> AcmeClient::sign_in(const std::string& email) {
    COMMENTO_CHECK(read_directory());
    if (account_.url.empty())
        return register_account(email);
    if (account_.email != email)
        return update_contact(email);
    return {};
}

Result<void> AcmeClient::read_directory() {
    const HttpRequest request{"GET", directory_url_};
    COMMENTO_ASSIGN(const HttpResponse response, send(request));
    if (response.status != kOk)
        return refused(request, response);
    COMMENTO_ASSIGN(const json object, object_in(response, directory_url_));
    COMMENTO_ASSIGN(directory_.new_nonce, address_in(object, "newNonce", directory_url_));
    COMMENTO_ASSIGN(directory_.new_account, address_in(object, "newAccount", directory_url_));
    COMMENTO_ASSIGN(directory_.new_order, address_in(object, "newOrder", directory_url_));
    return {};
}

/// RFC 8555, 7.3. For a key that the authority knows, it answers with the account there is.
Result<void> AcmeClient::register_account(const std::string& email) {
    const json payload = {{"termsOfServiceAgreed", true}, {"contact", contact(email)}};
    COMMENTO_ASSIGN(const HttpResponse response, post_signed(directory_.new_account, payload.dump(), Signer::key));
    COMMENTO_ASSIGN(account_.url, location_of(response, directory_.new_account));
    account_.email = email;
    registered_now_ = true;
    return {};
}

Result<void> AcmeClient::update_contact(const std::string& email) {
    account_.email = email;
    COMMENTO_CHECK(post(account_.url, json{{"contact", contact(email)}}.dump()));
    return {};
}

Result<Order> AcmeClient::order(const std::string& domain) {
    const json payload = {{"identifiers", json::array({{{"type", "dns"}, {"value", domain}}})}};
    const std::string& url = directory_.new_order;
    COMMENTO_ASSIGN(const HttpResponse response, post(url, payload.dump()));
    COMMENTO_ASSIGN(const json object, object_in(response, url));
    Order order;
    COMMENTO_ASSIGN(order.url, location_of(response, url));
    COMMENTO_ASSIGN(order.finalize, address_in(object, "finalize", url));
    const json authorizations = list_field(object, "authorizations");
    if (authorizations.size() != 1 || !authorizations[0].is_string() ||
        !is_address(authorizations[0].get<std::string>()))
        return makes_no_sense(url, "\"authorizations\" is not the https address of one");
    order.authorization = authorizations[0].get<std::string>();
    has_ordered_ = true;
    return order;
}

Result<std::optional<Challenge>> AcmeClient::challenge(const Order& order) {
    const std::string& authorization = order.authorization;
    COMMENTO_ASSIGN(const json object, post_for_object(authorization, ""));
    const std::string status = text_field(object, "status");
    if (status == "valid")
        return std::nullopt;
    if (status != "pending")
        return turned_bad(authorization, object, problem_in_challenges(object));
    for (const auto& offered : list_field(object, "challenges")) {
        if (!offered.is_object() || text_field(offered, "type") != "http-01")
            continue;
        Challenge challenge;
        COMMENTO_ASSIGN(challenge.url, address_in(offered, "url", authorization));
        challenge.token = text_field(offered, "token");
        if (!is_base64url(challenge.token) || challenge.token.size() > kLongestToken)
            return makes_no_sense(authorization, "the challenge's token is not base64url, or too long");
        challenge.content = challenge.token + "." + thumbprint(public_jwk(account_.key.get()));
        return challenge;
    }
    return fail(ErrorCode::authority, fmt::format("{} offers no http-01 challenge", authorization),
                "this authority can't be used over port 80: set another ACME_DIRECTORY");
}

Result<void> AcmeClient::accept(const Challenge& challenge) {
    COMMENTO_CHECK(post(challenge.url, "{}"));
    return {};
}

Result<void> AcmeClient::await_ready(const Order& order) {
    COMMENTO_ASSIGN(const json answer, poll(order.url));
    if (text_field(answer, "status") == "ready")
        return {};
    COMMENTO_ASSIGN(const json authorization, post_for_object(order.authorization, ""));
    return turned_bad(order.url, answer, problem_in_challenges(authorization));
}

Result<std::string> AcmeClient::finalize(const Order& order, std::string_view request) {
    COMMENTO_ASSIGN(json answer, post_for_object(order.finalize, json{{"csr", base64url(request)}}.dump()));
    if (is_undecided(answer)) {
        COMMENTO_ASSIGN(answer, poll(order.url));
    }
    if (text_field(answer, "status") != "valid")
        return turned_bad(order.url, answer, problem_in(answer));
    COMMENTO_ASSIGN(const std::string url, address_in(answer, "certificate", order.url));
    COMMENTO_ASSIGN(HttpResponse chain, post(url, ""));
    if (!has_type(chain, kChain))
        return makes_no_sense(url, fmt::format("it is \"{}\" and not {}", shown_type(chain), kChain));
    return std::move(chain.body);
}

Result<HttpResponse> AcmeClient::send(const HttpRequest& request) {
    if (Clock::now() > deadline_)
        return fail(ErrorCode::network, fmt::format("{} took too long; gave up", directory_url_));
    auto response = http_.send(request);
    if (response && is_base64url(response->header("replay-nonce")))
        nonce_ = response->header("replay-nonce");
    return response;
}

Result<std::string> AcmeClient::take_nonce() {
    if (nonce_.empty()) {
        const HttpRequest request{"HEAD", directory_.new_nonce};
        COMMENTO_ASSIGN(const HttpResponse response, send(request));
        if (response.status >= kRedirect)
            return refused(request, response);
    }
    if (nonce_.empty())
        return makes_no_sense(directory_.new_nonce, "it holds no Replay-Nonce, or one that is not base64url");
    return std::exchange(nonce_, {});
}

Result<std::string> AcmeClient::sign(const std::string& url, const std::string& payload, Signer signer) {
    COMMENTO_ASSIGN(const std::string nonce, take_nonce());
    json header = {{"nonce", nonce}, {"url", url}};
    if (signer == Signer::key)
        header["jwk"] = public_jwk(account_.key.get());
    else
        header["kid"] = account_.url;
    return sign_jws(account_.key.get(), header, payload);
}

/// An empty payload is a POST-as-GET (RFC 8555, 6.3).
Result<HttpResponse> AcmeClient::post_signed(const std::string& url, const std::string& payload, Signer signer) {
    for (int attempt = 1;; ++attempt) {
        COMMENTO_ASSIGN(std::string body, sign(url, payload, signer));
        const HttpRequest request{"POST", url, std::move(body), {{"Content-Type", "application/jose+json"}}};
        COMMENTO_ASSIGN(HttpResponse response, send(request));
        if (response.status >= kOk && response.status < kRedirect)
            return response;
        auto refusal = refused(request, response);
        if (refusal_.type != "badNonce" || attempt == kNonceTries)
            return refusal;
    }
}

Result<HttpResponse> AcmeClient::post(const std::string& url, const std::string& payload) {
    auto response = post_signed(url, payload, Signer::account);
    if (response || refusal_.type != "accountDoesNotExist" || registered_now_)
        return response;
    spdlog::warn("{} no longer knows the account {}: registering it anew", directory_url_, account_.url);
    COMMENTO_CHECK(register_account(account_.email));
    return post_signed(url, payload, Signer::account);
}

Result<json> AcmeClient::post_for_object(const std::string& url, const std::string& payload) {
    COMMENTO_ASSIGN(const HttpResponse response, post(url, payload));
    return object_in(response, url);
}

/// Asks for an order until the authority has decided.
Result<json> AcmeClient::poll(const std::string& url) {
    constexpr Pace::Duration kFirst{5};
    constexpr Pace::Duration kLongest{2000};
    Pace pace(kFirst, kLongest, std::chrono::ceil<Pace::Duration>(deadline_ - Clock::now()));
    std::optional<Pace::Duration> asked;
    while (pace.wait(asked)) {
        COMMENTO_ASSIGN(const HttpResponse response, post(url, ""));
        COMMENTO_ASSIGN(json object, object_in(response, url));
        if (!is_undecided(object))
            return object;
        asked = asked_pause(response);
    }
    return fail(ErrorCode::authority, fmt::format("{} is not decided, and would not be in time; gave up", url),
                "the authority is slow");
}

/// The error for an answer that is no success.
tl::unexpected<Error> AcmeClient::refused(const HttpRequest& request, const HttpResponse& response) {
    refusal_ = {{}, parse_retry_after(response.header("retry-after"), now())};
    const std::string answered = fmt::format("{} {} answered {}", request.method, request.url, response.status);
    const auto problem = has_type(response, kProblem) ? parse_object(response.body) : std::nullopt;
    if (!problem)
        return fail(
            ErrorCode::authority,
            fmt::format("{} with \"{}\" and no problem document that could be read", answered, shown_type(response)),
            "is ACME_DIRECTORY the directory of an ACME authority? If it is, it has trouble of its own");
    const std::string type = text_field(*problem, "type");
    if (type.starts_with(kAcmeErrors))
        refusal_.type = type.substr(kAcmeErrors.size());
    return fail(ErrorCode::authority, fmt::format("{}, {}", answered, describe_problem(*problem)),
                hint_for_problem(type));
}

} // namespace commento
