#include "cert/issue.hpp"

#include "base/files.hpp"
#include "cert/account.hpp"
#include "acme/acme_client.hpp"
#include "base/clock.hpp"
#include "cert/history.hpp"
#include "cert/pair.hpp"
#include "cert/store.hpp"
#include "cert/webroot.hpp"
#include "cert/x509.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

constexpr std::chrono::seconds kLimit{120};

Request request_of(const Settings& settings, const Wanted& wanted) {
    return {wanted.origin.directory, wanted.domain, settings.text("EMAIL")};
}

Result<void> check_not_held_back(const std::optional<Failure>& failure) {
    if (!failure || !holds_back(*failure, now()))
        return {};
    return fail(ErrorCode::later,
                fmt::format("{} is not asked again before {}; the last answer was: {}", failure->request.directory,
                            local_time(failure->next_try), failure->message),
                "nothing is lost by waiting; a change of DOMAIN, EMAIL or ACME_DIRECTORY is tried at once");
}

Result<AcmeClient> client_for(const Paths& paths, const Settings& settings, const Wanted& wanted) {
    HttpClient http;
    if (const std::string& file = settings.text("ACME_CA_FILE"); !file.empty())
        http.trust_only(file);
    COMMENTO_ASSIGN(Account account, load_account(paths, wanted.origin.directory));
    return AcmeClient(std::move(http), wanted.origin.directory, std::move(account), kLimit);
}

/// Proves control of the domain, where the authority wants that.
Result<void> prove(const Paths& paths, AcmeClient& client, const Order& order) {
    COMMENTO_ASSIGN(const auto challenge, client.challenge(order));
    if (!challenge)
        return {};
    COMMENTO_ASSIGN(const ChallengeFile file, ChallengeFile::place(paths, challenge->token, challenge->content));
    COMMENTO_CHECK(client.accept(*challenge));
    return client.await_ready(order);
}

/// The chain, PEM, for a request (PKCS #10).
Result<std::string> obtain(const Paths& paths, AcmeClient& client, const Request& request, std::string_view csr) {
    COMMENTO_CHECK(client.sign_in(request.email));
    COMMENTO_CHECK(save_account(paths, request.directory, client.account()));
    COMMENTO_ASSIGN(const Order order, client.order(request.domain));
    COMMENTO_CHECK(save_account(paths, request.directory, client.account()));
    COMMENTO_CHECK(prove(paths, client, order));
    return client.finalize(order, csr);
}

Result<Generation> obtain_and_install(const Paths& paths, AcmeClient& client, const Request& request,
                                      const Wanted& wanted) {
    COMMENTO_ASSIGN(const PrivateKey key, make_key(wanted.key_type));
    COMMENTO_ASSIGN(const std::string csr, make_request(key.get(), wanted.domain));
    COMMENTO_ASSIGN(std::string chain, obtain(paths, client, request, csr));
    const Pair pair{std::move(chain), to_pem(key.get())};
    if (const auto problem = problem_with(pair, wanted.domain, now()); !problem.empty())
        return fail(ErrorCode::authority,
                    fmt::format("the certificate that {} issued is of no use: {}", request.directory, problem),
                    "is this host's clock right? The certificate in place stays");
    return install(paths, pair, wanted.origin);
}

/// A failure to write down. Where the authority was not reached and nothing was ordered, nothing was spent: the next
/// run may ask again.
Failure next_failure(const Request& request, const std::optional<Failure>& former, const Error& error,
                     const AcmeClient& client) {
    Failure failure{request, former ? former->refusals : 0, now(), former ? former->next_try : 0, error.message};
    if (error.code == ErrorCode::network && !client.has_ordered())
        return failure;
    ++failure.refusals;
    failure.next_try = failure.failed_at + pause_after(failure.refusals, client.retry_after());
    return failure;
}

/// Writes the failure down; the hint tells when the next try is.
Error remembered(const Paths& paths, const Failure& failure, Error error) {
    if (const auto done = remember(paths, failure); !done)
        spdlog::warn("{}; the failure is not remembered", done.error().message);
    const std::string next =
        holds_back(failure, now()) ? "after " + local_time(failure.next_try) : "when the timer elapses";
    error.hint += fmt::format("{}next try {}", error.hint.empty() ? "" : "; ", next);
    return error;
}

} // namespace

Result<Generation> issue(const Paths& paths, const Settings& settings, const Wanted& wanted) {
    const Request request = request_of(settings, wanted);
    const auto former = last_failure(paths, request);
    COMMENTO_CHECK(check_not_held_back(former));

    clear_challenges(paths);
    remove_temporaries(paths.acme());
    COMMENTO_CHECK(check_room(paths));
    COMMENTO_CHECK(check_webroot(paths, wanted.domain, settings.number("HTTP_PORT")));
    COMMENTO_ASSIGN(AcmeClient client, client_for(paths, settings, wanted));
    spdlog::info("asking {} for a certificate for {}", request.directory, request.domain);
    auto generation = obtain_and_install(paths, client, request, wanted);
    if (!generation) {
        const Failure failure = next_failure(request, former, generation.error(), client);
        return tl::unexpected(remembered(paths, failure, std::move(generation).error()));
    }
    COMMENTO_CHECK(forget_failures(paths));
    return generation;
}

} // namespace commento
