#include "cert/pair.hpp"

#include "acme/key.hpp"
#include "base/clock.hpp"
#include "config/keys.hpp"
#include "net/certificate.hpp"
#include "net/roots.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace commento {
namespace {

using Chain = Owned<STACK_OF(X509)>;

/// Every certificate of a PEM text; null when it holds something broken.
Chain parse_chain(const std::string& pem) {
    const Owned<BIO> source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    Chain chain(sk_X509_new_null());
    ERR_clear_error();
    while (X509* certificate = PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr))
        sk_X509_push(chain.get(), certificate);
    const auto end = ERR_peek_last_error();
    ERR_clear_error();
    return ERR_GET_REASON(end) == PEM_R_NO_START_LINE ? std::move(chain) : nullptr;
}

struct Loaded {
    Chain chain;
    PrivateKey key;
    std::string problem;
};

Loaded load(const Pair& pair) {
    Loaded loaded{parse_chain(pair.chain), parse_key(pair.key), {}};
    if (!loaded.chain)
        loaded.problem = "the chain holds a damaged certificate";
    else if (sk_X509_num(loaded.chain.get()) == 0)
        loaded.problem = "there is no certificate in the chain";
    else if (!loaded.key)
        loaded.problem = "there is no private key, or one that needs a passphrase";
    else if (X509_check_private_key(sk_X509_value(loaded.chain.get(), 0), loaded.key.get()) != 1)
        loaded.problem = "the private key does not belong to the first certificate of the chain";
    ERR_clear_error();
    return loaded;
}

std::string problem_with_order(const Chain& chain) {
    for (int i = 1; i < sk_X509_num(chain.get()); ++i) {
        if (X509_verify(sk_X509_value(chain.get(), i - 1), X509_get0_pubkey(sk_X509_value(chain.get(), i))) != 1)
            return fmt::format("certificate {} of the chain did not sign certificate {}: the server's own comes first, "
                               "then each one's issuer",
                               i + 1, i);
    }
    return {};
}

/// Gives the pair to OpenSSL as nginx does.
std::string problem_for_server(const Loaded& loaded) {
    const Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
    X509* leaf = sk_X509_value(loaded.chain.get(), 0);
    const Chain issuers(sk_X509_dup(loaded.chain.get()));
    for (int i = 0; i < sk_X509_num(issuers.get()); ++i)
        X509_up_ref(sk_X509_value(issuers.get(), i));
    X509_free(sk_X509_shift(issuers.get()));
    if (SSL_CTX_use_cert_and_key(context.get(), leaf, loaded.key.get(), issuers.get(), 1) == 1)
        return {};
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    return fmt::format("OpenSSL refuses it: {}", reason != nullptr ? reason : "no reason given");
}

std::string problem_with_dates(const Certificate& leaf, std::int64_t now) {
    if (leaf.not_after <= now)
        return fmt::format("the certificate expired on {}", local_time(leaf.not_after));
    if (leaf.not_before > now)
        return fmt::format("the certificate is not valid before {}", local_time(leaf.not_before));
    return {};
}

bool covers(X509* certificate, const std::string& name) {
    if (is_ip_address(name))
        return X509_check_ip_asc(certificate, name.c_str(), 0) == 1;
    // A wildcard of the certificate covers the same wildcard, as text.
    return X509_check_host(certificate, name.data(), name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
}

std::string problem_with_names(const Loaded& loaded, const Certificate& leaf, const std::vector<std::string>& names) {
    X509* certificate = sk_X509_value(loaded.chain.get(), 0);
    for (const auto& name : names) {
        const bool literally = std::ranges::find(leaf.names, name) != leaf.names.end();
        if (!literally && !covers(certificate, name))
            return fmt::format("the certificate is for {}, not for {}",
                               leaf.names.empty() ? "no name" : fmt::format("{}", fmt::join(leaf.names, ", ")), name);
    }
    return {};
}

Owned<X509_STORE> roots_of_this_host(const std::filesystem::path& ca_file) {
    Owned<X509_STORE> roots(X509_STORE_new());
    if (const char* folder = hashed_roots(); folder != nullptr)
        X509_STORE_load_path(roots.get(), folder);
    else
        X509_STORE_set_default_paths(roots.get());
    if (!ca_file.empty())
        X509_STORE_load_file(roots.get(), ca_file.c_str());
    ERR_clear_error();
    return roots;
}

Owned<X509_STORE> root_at_the_end_of(const Chain& chain) {
    Owned<X509_STORE> roots(X509_STORE_new());
    X509_STORE_add_cert(roots.get(), sk_X509_value(chain.get(), sk_X509_num(chain.get()) - 1));
    X509_STORE_set_flags(roots.get(), X509_V_FLAG_PARTIAL_CHAIN);
    return roots;
}

/// X509_V_OK or why not (X509_verify_cert(3)).
int verify(const Chain& chain, X509_STORE* roots, std::int64_t now) {
    const Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), roots, sk_X509_value(chain.get(), 0), chain.get());
    X509_STORE_CTX_set_default(context.get(), "ssl_server");
    X509_STORE_CTX_set_time(context.get(), 0, now);
    X509_verify_cert(context.get());
    const int outcome = X509_STORE_CTX_get_error(context.get());
    ERR_clear_error();
    return outcome;
}

bool is_for_want_of_a_root(int outcome) {
    return outcome == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || outcome == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           outcome == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN || outcome == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
           outcome == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

std::string refusal(int outcome) {
    return fmt::format("the chain does not verify: {}", X509_verify_cert_error_string(outcome));
}

std::string problem_with(const Loaded& loaded, const std::vector<std::string>& names, std::int64_t now) {
    if (!loaded.problem.empty())
        return loaded.problem;
    const Certificate leaf = describe_certificate(sk_X509_value(loaded.chain.get(), 0));
    for (auto problem : {problem_with_dates(leaf, now), problem_with_names(loaded, leaf, names),
                         problem_with_order(loaded.chain), problem_for_server(loaded)}) {
        if (!problem.empty())
            return problem;
    }
    return {};
}

Verdict verify_up_to_root(const Chain& chain, const std::filesystem::path& ca_file, std::int64_t now) {
    int outcome = verify(chain, roots_of_this_host(ca_file).get(), now);
    if (outcome == X509_V_OK)
        return {};
    if (!is_for_want_of_a_root(outcome))
        return {refusal(outcome), {}};
    // What such a root would be asked for is asked all the same, but for the root itself.
    outcome = verify(chain, root_at_the_end_of(chain).get(), now);
    if (outcome != X509_V_OK)
        return {refusal(outcome), {}};
    return {{}, "this host does not know the root that the certificate's chain leads to; do its visitors?"};
}

} // namespace

std::string problem_with(const Pair& pair) { return load(pair).problem; }

std::string problem_with(const Pair& pair, const std::vector<std::string>& names, std::int64_t now) {
    return problem_with(load(pair), names, now);
}

Verdict judge(const Pair& pair, const std::vector<std::string>& names, const std::filesystem::path& ca_file,
              std::int64_t now) {
    const Loaded loaded = load(pair);
    std::string problem = problem_with(loaded, names, now);
    return problem.empty() ? verify_up_to_root(loaded.chain, ca_file, now) : Verdict{std::move(problem), {}};
}

} // namespace commento
