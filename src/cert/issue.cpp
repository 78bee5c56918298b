#include "cert/issue.hpp"

#include "acme/acme_client.hpp"
#include "acme/x509.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "cert/account.hpp"
#include "cert/authority.hpp"
#include "cert/history.hpp"
#include "cert/limits.hpp"
#include "cert/order_file.hpp"
#include "cert/pair.hpp"
#include "cert/store.hpp"
#include "proof/prover.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

/// One try to get one certificate from one authority.
struct Attempt {
    const Paths& paths;
    const Site& site;
    const Wanted& wanted;
    const std::optional<Generation>& live;
    std::string directory;
    Haste haste;

    const std::string& setting(const char* key) const { return site.settings->text(key); }

    /// Only the first authority has the profiles that the settings mean.
    std::string profile() const { return directory == wanted.directories.front() ? wanted.profile : std::string(); }

    std::string follows() const { return live ? live->fingerprint : std::string(); }

    Request request() const {
        Request asked{directory, wanted.names, setting("EMAIL"), profile(), {}};
        for (const char* key : {"ACME_CHALLENGE", "ACME_DNS_SERVER", "ACME_DNS_KEY_FILE", "ACME_DNS_HOOK",
                                "ACME_DNS_CLEANUP_HOOK", "ACME_EAB_KID", "ACME_EAB_KEY_FILE", "ACME_CA_FILE"})
            asked.means[key] = setting(key);
        return asked;
    }
};

Result<void> check_not_held_back(const std::optional<Failure>& failure) {
    if (!failure || !holds_back(*failure, now()))
        return {};
    return fail(ErrorCode::later,
                fmt::format("{} is not asked again before {}; the last answer was: {}", failure->request.directory,
                            local_time(failure->next_try), failure->message),
                "nothing is lost by waiting; changed settings are tried at once, and commentoctl cert renew --force "
                "does not wait");
}

void warn_of_risk(const Attempt& attempt, const std::optional<Failure>& failure, const Limits& limits) {
    if (failure && holds_back(*failure, now()))
        spdlog::warn("{} wants to be left alone until {}: asking it all the same may lengthen that", attempt.directory,
                     local_time(failure->next_try));
    if (const int left = limits.left(attempt.wanted.names, now()); left >= 0)
        spdlog::warn("{} gives 5 certificates a week for exactly these names; {} are left, this one included",
                     attempt.directory, left);
}

/// Whether an order that was left unfinished is for what is wanted now.
bool fits(const UnfinishedOrder& order, const Attempt& attempt, const Account& account) {
    return order.directory == attempt.directory && order.account == account.url &&
           order.names == attempt.wanted.names && order.profile == attempt.profile() &&
           order.follows == attempt.follows() && type_of(order.key.get()) == attempt.wanted.key_type;
}

/// The key of the certificate in place where the settings want to keep it, else a new one.
Result<PrivateKey> key_for(const Attempt& attempt) {
    const auto& live = attempt.live;
    const bool keeps = attempt.site.settings->flag("TLS_KEY_REUSE") && live && !live->revoked &&
                       live->key_type == attempt.wanted.key_type && live->facts.origin.source == Source::acme;
    if (!keeps)
        return make_key(attempt.wanted.key_type);
    COMMENTO_ASSIGN(const Pair pair, read_pair(attempt.site.store, *live));
    return parse_key(pair.key);
}

/// The renewal identifier of the certificate that the new one follows; empty where that is not this authority's, or
/// this authority wants none.
std::string predecessor(const Attempt& attempt, const AcmeClient& client) {
    const auto& live = attempt.live;
    if (client.renewal_info().empty() || !live || live->facts.origin != Origin{Source::acme, attempt.directory})
        return {};
    const auto pair = read_pair(attempt.site.store, *live);
    return pair ? renewal_identifier(pair->chain) : std::string();
}

struct Open {
    Order order;
    UnfinishedOrder file;
};

/// An order of a run before that can still become a certificate.
Result<std::optional<Open>> resume(const Attempt& attempt, AcmeClient& client) {
    auto file = load_order(attempt.site);
    if (!file || !fits(*file, attempt, client.account()))
        return std::nullopt;
    auto order = client.find_order(file->url);
    if (!order && order.error().code == ErrorCode::network)
        return tl::unexpected(std::move(order).error());
    if (!order || order->status == "invalid") {
        COMMENTO_CHECK(forget_order(attempt.site));
        return std::nullopt;
    }
    spdlog::info("going on with the order that a run before left unfinished; it is {}", order->status);
    return Open{*std::move(order), *std::move(file)};
}

Result<Open> begin(const Attempt& attempt, AcmeClient& client, Limits& limits) {
    COMMENTO_ASSIGN(PrivateKey key, key_for(attempt));
    COMMENTO_ASSIGN(std::string csr, make_request(key.get(), attempt.wanted.names));
    const std::string replaces = predecessor(attempt, client);
    // A renewal that names its predecessor is exempt from all limits.
    if (replaces.empty() && attempt.haste != Haste::forced)
        COMMENTO_CHECK(limits.check(attempt.wanted.names, now()));
    COMMENTO_ASSIGN(Order order, client.order({attempt.wanted.names, attempt.profile(), replaces}));
    limits.count_order(now());
    UnfinishedOrder file{attempt.directory, client.account().url, attempt.wanted.names,
                         attempt.profile(), attempt.follows(),    order.url,
                         std::move(key),    std::move(csr)};
    COMMENTO_CHECK(save_order(attempt.site, file));
    return Open{std::move(order), std::move(file)};
}

/// An authority that asks for proofs of other names than it was asked for is up to something.
Result<void> check_names(const std::vector<Challenge>& challenges, const Wanted& wanted) {
    for (const auto& challenge : challenges) {
        const bool ours = std::ranges::any_of(wanted.names, [&](const std::string& name) {
            return name == challenge.name || name == "*." + challenge.name;
        });
        if (!ours)
            return fail(
                ErrorCode::authority,
                fmt::format("the authority wants a proof of {}, which nobody asked a certificate for", challenge.name),
                "is ACME_DIRECTORY the right one?");
    }
    return {};
}

/// Proves control of the names, where the authority wants that.
Result<Order> prove(const Attempt& attempt, AcmeClient& client, Prover& prover, const Order& order) {
    if (order.status != "pending")
        return order;
    COMMENTO_ASSIGN(const auto challenges, client.challenges(order, attempt.setting("ACME_CHALLENGE")));
    COMMENTO_CHECK(check_names(challenges, attempt.wanted));
    COMMENTO_CHECK(prover.show(challenges));
    for (const auto& challenge : challenges)
        COMMENTO_CHECK(client.accept(challenge));
    if (!challenges.empty())
        spdlog::info("{} is in place; waiting for the authority to look", challenges.front().type);
    return client.await_ready(order);
}

Result<void> check_usable(const Attempt& attempt, const Pair& pair) {
    const Verdict verdict = judge(pair, attempt.wanted.names, attempt.setting("ACME_CA_FILE"), now());
    if (!verdict.warning.empty())
        spdlog::warn("{}", verdict.warning);
    if (verdict.problem.empty())
        return {};
    return fail(ErrorCode::authority,
                fmt::format("the certificate that {} issued is of no use: {}", attempt.directory, verdict.problem),
                "is this host's clock right? The certificate in place stays");
}

Result<Generation> take_in(const Attempt& attempt, AcmeClient& client, const Open& open, Limits& limits) {
    spdlog::info("all names are proved; asking for the certificate");
    COMMENTO_ASSIGN(std::string chain,
                    client.finalize(open.order, open.file.request, attempt.setting("ACME_PREFERRED_CHAIN")));
    limits.count_certificate(attempt.wanted.names, now());
    const Pair pair{std::move(chain), to_pem(open.file.key.get())};
    if (auto usable = check_usable(attempt, pair); !usable) {
        // Its certificate will not get better: the next try is a new order.
        COMMENTO_CHECK(forget_order(attempt.site));
        return tl::unexpected(std::move(usable).error());
    }
    GenerationFacts facts{};
    facts.origin = {Source::acme, attempt.directory};
    facts.profile = attempt.profile();
    facts.renewal_info = client.renewal_info();
    COMMENTO_ASSIGN(Generation generation, install(attempt.site.store, pair, facts));
    COMMENTO_CHECK(forget_order(attempt.site));
    return generation;
}

Result<Generation> obtain(const Attempt& attempt, AcmeClient& client, Prover& prover, Limits& limits) {
    if (!has_account(attempt.paths, attempt.directory) && attempt.haste != Haste::forced)
        COMMENTO_CHECK(limits.check_registration(now()));
    COMMENTO_CHECK(sign_in(client, attempt.paths, *attempt.site.settings, attempt.directory));
    COMMENTO_ASSIGN(std::optional<Open> open, resume(attempt, client));
    if (!open) {
        COMMENTO_ASSIGN(open, begin(attempt, client, limits));
    }
    COMMENTO_CHECK(save_account(attempt.paths, attempt.directory, client.account()));
    COMMENTO_ASSIGN(open->order, prove(attempt, client, prover, open->order));
    return take_in(attempt, client, *open, limits);
}

void count(Limits& limits, const AcmeClient& client) {
    if (client.has_registered())
        limits.count_registration(now());
    for (const auto& name : client.failed_names())
        limits.count_failed_proof(name, now());
    if (const auto saved = limits.save(now()); !saved)
        spdlog::warn("{}; what counts against the authority's limits is not remembered", saved.error().message);
}

/// A failure to write down. Where the authority was not reached and nothing was ordered, nothing was spent: the next
/// run may ask again.
Failure next_failure(const Request& request, const std::optional<Failure>& former, const Error& error,
                     const AcmeClient& client) {
    Failure failure{request, former ? former->failures + 1 : 1, former ? former->refusals : 0,
                    now(),   former ? former->next_try : 0,     error.message};
    if (error.code == ErrorCode::network && !client.has_ordered())
        return failure;
    ++failure.refusals;
    failure.next_try = failure.failed_at + pause_after(failure.refusals, client.retry_after());
    return failure;
}

/// Writes the failure down; the hint tells when the next try is.
Error remembered(const Site& site, const Failure& failure, Error error) {
    if (const auto done = remember(site.state, failure); !done)
        spdlog::warn("{}; the failure is not remembered", done.error().message);
    const std::string next =
        holds_back(failure, now()) ? "after " + local_time(failure.next_try) : "when the timer elapses";
    error.hint += fmt::format("{}next try {}", error.hint.empty() ? "" : "; ", next);
    return error;
}

/// What went wrong on this host is no fault of the authority, and another one would fare the same.
bool is_of_this_host(const Error& error) {
    return error.code == ErrorCode::storage || error.code == ErrorCode::permission ||
           error.code == ErrorCode::settings || error.code == ErrorCode::internal;
}

Result<Generation> try_authority(const Attempt& attempt) {
    const Request request = attempt.request();
    const auto former = last_failure(attempt.site.state, request);
    Limits limits = Limits::load(attempt.paths, attempt.directory);
    if (attempt.haste == Haste::forced)
        warn_of_risk(attempt, former, limits);
    else
        COMMENTO_CHECK(check_not_held_back(former));

    remove_temporaries(attempt.site.state); // of a run that was killed, or whose disk failed
    COMMENTO_CHECK(check_room(attempt.site.store));
    COMMENTO_CHECK(check_room(attempt.site.state));
    const auto prover = make_prover(attempt.paths, *attempt.site.settings);
    COMMENTO_CHECK(prover->check(attempt.wanted.names));
    COMMENTO_ASSIGN(AcmeClient client, client_for(attempt.paths, *attempt.site.settings, attempt.directory));
    spdlog::info("asking {} for a certificate for {}", attempt.directory, fmt::join(attempt.wanted.names, ", "));
    auto generation = obtain(attempt, client, *prover, limits);
    count(limits, client);
    if (!generation && (is_of_this_host(generation.error()) || generation.error().code == ErrorCode::later))
        return generation;
    if (!generation) {
        const Failure failure = next_failure(request, former, generation.error(), client);
        return tl::unexpected(remembered(attempt.site, failure, std::move(generation).error()));
    }
    COMMENTO_CHECK(forget_failures(attempt.site.state));
    return generation;
}

} // namespace

Result<Generation> issue(const Paths& paths, const Site& site, const Wanted& wanted,
                         const std::optional<Generation>& live, Haste haste) {
    Attempt attempt{paths, site, wanted, live, wanted.directories.front(), haste};
    auto generation = try_authority(attempt);
    if (generation || wanted.directories.size() == 1 || is_of_this_host(generation.error()))
        return generation;
    const auto failure = last_failure(site.state, attempt.request());
    if (!failure || !is_persistent(*failure))
        return generation;
    attempt.directory = wanted.directories.back();
    spdlog::warn("{} failed {} times in a row; falling back to {}", wanted.directories.front(), failure->failures,
                 attempt.directory);
    auto other = try_authority(attempt);
    if (other)
        return other;
    Error error = std::move(generation).error();
    error.message += fmt::format("\n{}", other.error().message);
    error.hint = other.error().hint;
    return tl::unexpected(std::move(error));
}

} // namespace commento
