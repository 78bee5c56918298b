#include "acme/acme_client.hpp"

#include "acme/jose.hpp"
#include "acme/json.hpp"
#include "acme/problem.hpp"
#include "base/clock.hpp"
#include "base/pace.hpp"
#include "base/printable.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
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
tl::unexpected<Error> turned_bad(const std::string& url, std::string_view status, const std::optional<json>& problem) {
    const std::string message = fmt::format("{} turned \"{}\"", url, printable(status));
    if (!problem)
        return fail(ErrorCode::authority, message + "; no reason given");
    return fail(ErrorCode::authority, fmt::format("{}, {}", message, describe_problem(*problem)),
                hint_for_problem(text_field(*problem, "type")));
}

constexpr std::array<std::string_view, 2> kUnproved{"pending", "processing"};
constexpr std::array<std::string_view, 2> kUnissued{"ready", "processing"};

bool is_one_of(std::string_view status, std::span<const std::string_view> words) {
    return std::ranges::find(words, status) != words.end();
}

/// The order in an answer of the authority.
Result<Order> order_in(const json& object, const std::string& url) {
    constexpr std::size_t kMost = 1000;
    Order order{url, text_field(object, "status"), {}, {}, text_field(object, "certificate")};
    COMMENTO_ASSIGN(order.finalize, address_in(object, "finalize", url));
    const json addresses = list_field(object, "authorizations");
    const bool sound =
        !addresses.empty() && addresses.size() <= kMost && std::ranges::all_of(addresses, [](const json& one) {
            return one.is_string() && is_address(one.get_ref<const std::string&>());
        });
    if (!sound)
        return makes_no_sense(url, "\"authorizations\" is no list of https addresses");
    order.authorizations = addresses.get<std::vector<std::string>>();
    return order;
}

json identifier_for(const std::string& name) {
    // RFC 8738, 3: an address has a type of its own.
    const bool address =
        name.find_first_not_of("0123456789.") == std::string::npos || name.find(':') != std::string::npos;
    return {{"type", address ? "ip" : "dns"}, {"value", name}};
}

/// The name that an authorization is for.
std::string name_in(const json& authorization) {
    const auto found = authorization.find("identifier");
    return found != authorization.end() && found->is_object() ? printable(text_field(*found, "value")) : std::string();
}

/// Address of a resource that an authority may have or not.
std::string address_or_nothing(const json& object, const char* name) {
    std::string address = text_field(object, name);
    return is_address(address) ? address : std::string();
}

std::map<std::string, std::string> texts_in(const json& object, const char* name) {
    std::map<std::string, std::string> texts;
    const auto found = object.find(name);
    if (found == object.end() || !found->is_object())
        return texts;
    for (const auto& [key, value] : found->items()) {
        if (value.is_string())
            texts.emplace(printable(key), printable(value.get<std::string>()));
    }
    return texts;
}

/// Common name of who issued the last certificate of a chain: the root that the chain leads to.
std::string root_of(std::string_view chain) {
    constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
    const auto last = chain.rfind(kBegin);
    const Owned<X509> certificate = parse_x509(last == std::string_view::npos ? chain : chain.substr(last));
    std::array<char, 256> name{};
    if (certificate)
        X509_NAME_get_text_by_NID(X509_get_issuer_name(certificate.get()), NID_commonName, name.data(), name.size());
    return name.data();
}

/// RFC 3339 in UTC or with an offset; nothing for another text.
std::optional<std::int64_t> parse_time(const std::string& text) {
    std::tm parts{};
    const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == nullptr)
        return std::nullopt;
    if (*rest == '.')
        rest += 1 + std::string_view(rest + 1).find_first_not_of("0123456789");
    const std::int64_t moment = ::timegm(&parts);
    std::tm offset{};
    const std::string_view zone(rest);
    if (zone == "Z" || zone == "z")
        return moment;
    if ((zone.starts_with('+') || zone.starts_with('-')) && ::strptime(rest + 1, "%H:%M", &offset) != nullptr) {
        const std::int64_t seconds = offset.tm_hour * 3600 + offset.tm_min * 60;
        return zone.front() == '+' ? moment - seconds : moment + seconds;
    }
    return std::nullopt;
}

/// One of the two times of a "suggestedWindow".
Result<std::int64_t> time_in(const json& object, const char* name, const std::string& url) {
    const auto window = texts_in(object, "suggestedWindow");
    const auto text = window.find(name);
    const auto moment = text == window.end() ? std::nullopt : parse_time(text->second);
    if (!moment)
        return makes_no_sense(url, fmt::format(R"("suggestedWindow" has no time as its "{}")", name));
    return *moment;
}

std::string bytes_of(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// The content octets of an INTEGER in DER: a leading zero where the first bit would be the sign.
std::string content_of(const ASN1_INTEGER* number) {
    std::string bytes = bytes_of(number);
    if (!bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 0x80U) != 0)
        bytes.insert(bytes.begin(), '\0');
    return bytes;
}

std::optional<Pace::Duration> asked_pause(const HttpResponse& response) {
    const auto seconds = parse_retry_after(response.header("retry-after"), now());
    return seconds ? std::optional<Pace::Duration>(std::chrono::seconds(*seconds)) : std::nullopt;
}

/// The challenge of kind `type` that a pending authorization offers.
Result<Challenge> challenge_in(const json& authorization, std::string_view type, const std::string& url,
                               const EVP_PKEY* key) {
    const std::string name = name_in(authorization);
    if (name.empty())
        return makes_no_sense(url, "it names no identifier");
    for (const auto& offered : list_field(authorization, "challenges")) {
        if (!offered.is_object() || text_field(offered, "type") != type)
            continue;
        Challenge challenge{name, std::string(type), {}, text_field(offered, "token"), {}};
        COMMENTO_ASSIGN(challenge.url, address_in(offered, "url", url));
        if (!is_base64url(challenge.token) || challenge.token.size() > kLongestToken)
            return makes_no_sense(url, "the challenge's token is not base64url, or too long");
        challenge.content = challenge.token + "." + thumbprint(public_jwk(key));
        return challenge;
    }
    return fail(ErrorCode::authority, fmt::format("{} offers no {} challenge for {}", url, type, name),
                "set another ACME_CHALLENGE, or another ACME_DIRECTORY");
}

json contact(const std::string& email) { return json::array({"mailto:" + email}); }

} // namespace

AcmeClient::AcmeClient(HttpClient http, std::string directory, Account account, std::chrono::seconds limit)
    : http_(std::move(http)), directory_url_(std::move(directory)), account_(std::move(account)),
      deadline_(Clock::now() + limit) {}

Result<void> AcmeClient::sign_in(const std::string& email, const std::optional<ExternalAccount>& external) {
    email_ = email;
    external_ = external;
    COMMENTO_CHECK(read_directory());
    if (account_.url.empty())
        return register_account();
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
    directory_.revoke_cert = address_or_nothing(object, "revokeCert");
    directory_.key_change = address_or_nothing(object, "keyChange");
    directory_.renewal_info = address_or_nothing(object, "renewalInfo");
    const auto meta = object.find("meta");
    if (meta != object.end() && meta->is_object()) {
        directory_.terms = address_or_nothing(*meta, "termsOfService");
        directory_.profiles = texts_in(*meta, "profiles");
        const auto required = meta->find("externalAccountRequired");
        directory_.external_account_required = required != meta->end() && *required == true;
    }
    return {};
}

/// RFC 8555, 7.3. For a key that the authority knows, it answers with the account there is.
Result<void> AcmeClient::register_account() {
    const std::string& url = directory_.new_account;
    if (directory_.external_account_required && !external_)
        return fail(ErrorCode::settings, fmt::format("{} takes only accounts of its customers", directory_url_),
                    "set ACME_EAB_KID and ACME_EAB_KEY_FILE to what its operator gave you");
    json payload = {{"termsOfServiceAgreed", true}, {"contact", contact(email_)}};
    if (external_) {
        COMMENTO_ASSIGN(const std::string binding,
                        sign_jws_with_mac(external_->mac_key, {{"kid", external_->kid}, {"url", url}},
                                          public_jwk(account_.key.get()).dump()));
        payload["externalAccountBinding"] = json::parse(binding);
    }
    if (!directory_.terms.empty())
        spdlog::info("making an account with {}; this agrees to its terms of service: {}", directory_url_,
                     directory_.terms);
    COMMENTO_ASSIGN(const HttpResponse response, post_signed(url, payload.dump(), Signer::key));
    COMMENTO_ASSIGN(account_.url, location_of(response, url));
    account_.email = email_;
    account_.terms = directory_.terms;
    registered_now_ = true;
    return {};
}

Result<void> AcmeClient::update_contact(const std::string& email) {
    COMMENTO_CHECK(post(account_.url, json{{"contact", contact(email)}}.dump()));
    account_.email = email;
    return {};
}

Result<void> AcmeClient::check_profile(const std::string& profile) const {
    if (profile.empty() || directory_.profiles.contains(profile))
        return {};
    std::vector<std::string> names;
    for (const auto& [name, description] : directory_.profiles)
        names.push_back(name);
    return fail(ErrorCode::authority, fmt::format("{} has no certificate profile \"{}\"", directory_url_, profile),
                names.empty() ? "take ACME_PROFILE out of the settings: this authority has no profiles"
                              : fmt::format("set ACME_PROFILE to one of: {}", fmt::join(names, ", ")));
}

Result<Order> AcmeClient::order(const OrderRequest& request) {
    COMMENTO_CHECK(check_profile(request.profile));
    auto order = place(request);
    // Whatever it has against the certificate that is replaced, it may have nothing against a new one.
    if (order || request.replaces.empty() || refusal_.type.empty() || refusal_.type == "rateLimited")
        return order;
    spdlog::info("{}; trying without naming the certificate that this one follows", order.error().message);
    OrderRequest plain = request;
    plain.replaces.clear();
    return place(plain);
}

Result<Order> AcmeClient::place(const OrderRequest& request) {
    json payload = {{"identifiers", json::array()}};
    for (const auto& name : request.names)
        payload["identifiers"].push_back(identifier_for(name));
    if (!request.profile.empty())
        payload["profile"] = request.profile;
    if (!request.replaces.empty())
        payload["replaces"] = request.replaces;
    const std::string& url = directory_.new_order;
    COMMENTO_ASSIGN(const HttpResponse response, post(url, payload.dump()));
    COMMENTO_ASSIGN(const json object, object_in(response, url));
    has_ordered_ = true;
    COMMENTO_ASSIGN(const std::string address, location_of(response, url));
    return order_in(object, address);
}

Result<Order> AcmeClient::find_order(const std::string& url) {
    COMMENTO_ASSIGN(const json object, post_for_object(url, ""));
    return order_in(object, url);
}

Result<std::vector<Challenge>> AcmeClient::challenges(const Order& order, std::string_view type) {
    std::vector<Challenge> open;
    if (order.status != "pending")
        return open;
    for (const auto& url : order.authorizations) {
        COMMENTO_ASSIGN(const json object, post_for_object(url, ""));
        const std::string status = text_field(object, "status");
        if (status == "valid")
            continue;
        if (status != "pending")
            return turned_bad(url, status, problem_in_challenges(object));
        COMMENTO_ASSIGN(Challenge challenge, challenge_in(object, type, url, account_.key.get()));
        open.push_back(std::move(challenge));
    }
    return open;
}

Result<void> AcmeClient::accept(const Challenge& challenge) {
    COMMENTO_CHECK(post(challenge.url, "{}"));
    return {};
}

Result<Order> AcmeClient::await_ready(const Order& order) {
    COMMENTO_ASSIGN(Order now, poll(order.url, kUnproved, std::nullopt));
    if (now.status == "ready" || now.status == "valid")
        return now;
    return explain_failure(now);
}

/// In the authority's own words, for each name that was not proved.
tl::unexpected<Error> AcmeClient::explain_failure(const Order& order) {
    std::string lines;
    std::string hint;
    for (const auto& url : order.authorizations) {
        const auto object = post_for_object(url, "");
        if (!object)
            return tl::unexpected(object.error());
        const auto problem = problem_in_challenges(*object);
        if (!problem)
            continue;
        failed_names_.push_back(name_in(*object));
        lines += fmt::format("{}{}: {}", lines.empty() ? "" : "\n", name_in(*object), describe_problem(*problem));
        hint = hint_for_problem(text_field(*problem, "type"));
    }
    return fail(ErrorCode::authority,
                lines.empty() ? fmt::format("{} turned \"{}\"; no reason given", order.url, printable(order.status))
                              : lines,
                hint);
}

Result<std::string> AcmeClient::finalize(Order order, std::string_view request, const std::string& preferred_root) {
    if (order.status == "ready") {
        COMMENTO_ASSIGN(const HttpResponse response, post(order.finalize, json{{"csr", base64url(request)}}.dump()));
        COMMENTO_ASSIGN(const json object, object_in(response, order.finalize));
        const std::string url = order.url;
        COMMENTO_ASSIGN(order, order_in(object, url));
        if (is_one_of(order.status, kUnissued)) {
            COMMENTO_ASSIGN(order, poll(url, kUnissued, asked_pause(response)));
        }
    } else if (order.status == "processing") {
        COMMENTO_ASSIGN(order, poll(order.url, kUnissued, std::nullopt));
    }
    if (order.status != "valid") {
        COMMENTO_ASSIGN(const json object, post_for_object(order.url, ""));
        return turned_bad(order.url, order.status, problem_in(object));
    }
    if (!is_address(order.certificate))
        return makes_no_sense(order.url, "\"certificate\" is missing or no https address");
    COMMENTO_ASSIGN(HttpResponse chain, download(order.certificate));
    return choose_chain(std::move(chain), order.certificate, preferred_root);
}

Result<HttpResponse> AcmeClient::download(const std::string& url) {
    COMMENTO_ASSIGN(HttpResponse chain, post(url, ""));
    if (!has_type(chain, kChain))
        return makes_no_sense(url, fmt::format("it is \"{}\" and not {}", shown_type(chain), kChain));
    return chain;
}

/// RFC 8555, 7.4.2: other chains for the same certificate are linked to.
Result<std::string> AcmeClient::choose_chain(HttpResponse standard, const std::string& url,
                                             const std::string& preferred_root) {
    constexpr std::size_t kMost = 10;
    if (preferred_root.empty() || root_of(standard.body) == preferred_root)
        return std::move(standard.body);
    auto others = links_in(standard.header("link"), "alternate");
    others.resize(std::min(others.size(), kMost));
    for (const auto& other : others) {
        if (!is_address(other))
            return makes_no_sense(url, "the link to another chain is no https address");
        COMMENTO_ASSIGN(HttpResponse chain, download(other));
        if (root_of(chain.body) == preferred_root)
            return std::move(chain.body);
    }
    spdlog::warn("{} offers no chain that leads to {}; ignoring ACME_PREFERRED_CHAIN", url, preferred_root);
    return std::move(standard.body);
}

Result<void> AcmeClient::revoke(std::string_view pem, int reason) {
    const Owned<X509> certificate = parse_x509(pem);
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate.get(), &der);
    const Owned<char> owned(reinterpret_cast<char*>(der));
    if (size < 0)
        return fail(ErrorCode::internal, "the certificate to revoke does not load");
    if (directory_.revoke_cert.empty())
        return fail(ErrorCode::authority, fmt::format("{} can't revoke certificates", directory_url_));
    const json payload = {{"certificate", base64url({owned.get(), static_cast<std::size_t>(size)})},
                          {"reason", reason}};
    auto done = post(directory_.revoke_cert, payload.dump());
    if (!done && refusal_.type != "alreadyRevoked")
        return tl::unexpected(std::move(done).error());
    return {};
}

Result<void> AcmeClient::change_key(PrivateKey key) {
    const std::string& url = directory_.key_change;
    if (url.empty())
        return fail(ErrorCode::authority, fmt::format("{} can't change the key of an account", directory_url_));
    const json payload = {{"account", account_.url}, {"oldKey", public_jwk(account_.key.get())}};
    COMMENTO_ASSIGN(const std::string inner,
                    sign_jws(key.get(), {{"jwk", public_jwk(key.get())}, {"url", url}}, payload.dump()));
    COMMENTO_CHECK(post_signed(url, inner, Signer::account));
    account_.key = std::move(key);
    return {};
}

Result<bool> AcmeClient::is_known(PrivateKey key) {
    std::swap(account_.key, key);
    COMMENTO_CHECK(read_directory());
    const auto answer = post_signed(directory_.new_account, json{{"onlyReturnExisting", true}}.dump(), Signer::key);
    if (answer)
        return answer->header("location") == account_.url;
    std::swap(account_.key, key);
    if (refusal_.type == "accountDoesNotExist")
        return false;
    return tl::unexpected(answer.error());
}

Result<void> AcmeClient::deactivate() {
    COMMENTO_CHECK(post_signed(account_.url, json{{"status", "deactivated"}}.dump(), Signer::account));
    return {};
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
    COMMENTO_CHECK(register_account());
    return post_signed(url, payload, Signer::account);
}

Result<json> AcmeClient::post_for_object(const std::string& url, const std::string& payload) {
    COMMENTO_ASSIGN(const HttpResponse response, post(url, payload));
    return object_in(response, url);
}

/// Asks for an order until its status is none of `undecided`.
Result<Order> AcmeClient::poll(const std::string& url, std::span<const std::string_view> undecided,
                               std::optional<Pace::Duration> asked) {
    constexpr Pace::Duration kFirst{5};
    constexpr Pace::Duration kLongest{2000};
    Pace pace(kFirst, kLongest, std::chrono::ceil<Pace::Duration>(deadline_ - Clock::now()));
    while (pace.wait(asked)) {
        COMMENTO_ASSIGN(const HttpResponse response, post(url, ""));
        COMMENTO_ASSIGN(const json object, object_in(response, url));
        COMMENTO_ASSIGN(Order order, order_in(object, url));
        if (!is_one_of(order.status, undecided))
            return order;
        asked = asked_pause(response);
        if (asked)
            spdlog::info("{} is {}; the authority wants to be asked again in {} s", url, order.status,
                         std::chrono::ceil<std::chrono::seconds>(*asked).count());
    }
    return fail(ErrorCode::authority, fmt::format("{} is not decided, and would not be in time; gave up", url),
                "the authority is slow; the next run goes on with this order");
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

std::optional<int> revocation_reason(std::string_view word) {
    // RFC 5280, 5.3.1; the others are for authorities only, or mean nothing here.
    constexpr std::array<std::pair<std::string_view, int>, 5> kReasons{{{"unspecified", 0},
                                                                        {"keyCompromise", 1},
                                                                        {"affiliationChanged", 3},
                                                                        {"superseded", 4},
                                                                        {"cessationOfOperation", 5}}};
    const auto* found = std::ranges::find(kReasons, word, &std::pair<std::string_view, int>::first);
    return found == kReasons.end() ? std::nullopt : std::optional(found->second);
}

std::string renewal_identifier(std::string_view pem) {
    const Owned<X509> certificate = parse_x509(pem);
    const ASN1_OCTET_STRING* issuer = certificate ? X509_get0_authority_key_id(certificate.get()) : nullptr;
    if (issuer == nullptr)
        return {};
    return fmt::format("{}.{}", base64url(bytes_of(issuer)),
                       base64url(content_of(X509_get0_serialNumber(certificate.get()))));
}

Result<RenewalWindow> ask_renewal_window(HttpClient& http, const std::string& address, const std::string& identifier) {
    constexpr std::int64_t kMinute = 60;
    constexpr std::int64_t kDay = 86400;
    constexpr std::int64_t kUsual = std::int64_t{6} * 3600;
    const std::string url = fmt::format("{}{}{}", address, address.ends_with('/') ? "" : "/", identifier);
    COMMENTO_ASSIGN(const HttpResponse response, http.send({"GET", url}));
    if (response.status != kOk)
        return fail(ErrorCode::authority, fmt::format("GET {} answered {}", url, response.status));
    COMMENTO_ASSIGN(const json object, object_in(response, url));
    COMMENTO_ASSIGN(const std::int64_t start, time_in(object, "start", url));
    COMMENTO_ASSIGN(const std::int64_t end, time_in(object, "end", url));
    if (end < start)
        return makes_no_sense(url, "\"suggestedWindow\" ends before it begins");
    const std::int64_t pause = parse_retry_after(response.header("retry-after"), now()).value_or(kUsual);
    return RenewalWindow{start, end, now() + std::clamp(pause, kMinute, kDay),
                         printable(text_field(object, "explanationURL"))};
}

} // namespace commento
