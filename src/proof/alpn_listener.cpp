#include "proof/alpn_listener.hpp"

#include "acme/key.hpp"
#include "acme/x509.hpp"
#include "net/openssl.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <map>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>

namespace commento {
namespace {

/// A list of protocols as it is sent (RFC 7301, 3.1): each with its length before it.
constexpr std::string_view kProtocols = "\x0A"
                                        "acme-tls/1";

/// What the handshakes share. They happen in one thread, one step at a time.
struct Proofs {
    PrivateKey key{};
    std::map<std::string, Owned<X509>> certificates{}; ///< by server name
    Owned<SSL_CTX> context{};
};

/// The extension's value: the length of the list, then the list.
bool offers_proof_only(SSL* tls) {
    const unsigned char* value = nullptr;
    std::size_t size = 0;
    if (SSL_client_hello_get0_ext(tls, TLSEXT_TYPE_application_layer_protocol_negotiation, &value, &size) != 1)
        return false;
    const std::string_view text(reinterpret_cast<const char*>(value), size);
    return size == kProtocols.size() + 2 && text.ends_with(kProtocols);
}

int on_hello(SSL* tls, int* alert, void* /*proofs*/) {
    if (offers_proof_only(tls))
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return SSL_CLIENT_HELLO_ERROR;
}

int on_server_name(SSL* tls, int* alert, void* shared) {
    const auto& proofs = *static_cast<const Proofs*>(shared);
    const char* name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    std::string lower(name == nullptr ? "" : name);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto found = proofs.certificates.find(lower);
    const bool known = found != proofs.certificates.end() && SSL_use_certificate(tls, found->second.get()) == 1 &&
                       SSL_use_PrivateKey(tls, proofs.key.get()) == 1;
    if (known)
        return SSL_TLSEXT_ERR_OK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int on_protocols(SSL* /*tls*/, const unsigned char** chosen, unsigned char* size, const unsigned char* /*offered*/,
                 unsigned int /*offered_size*/, void* /*proofs*/) {
    *chosen = reinterpret_cast<const unsigned char*>(kProtocols.data() + 1);
    *size = static_cast<unsigned char>(kProtocols.size() - 1);
    return SSL_TLSEXT_ERR_OK;
}

Owned<SSL_CTX> make_context(Proofs& proofs) {
    Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION); // RFC 8737, 4
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context.get(), 0);
    SSL_CTX_set_client_hello_cb(context.get(), on_hello, nullptr);
    SSL_CTX_set_tlsext_servername_callback(context.get(), on_server_name);
    SSL_CTX_set_tlsext_servername_arg(context.get(), &proofs);
    SSL_CTX_set_alpn_select_cb(context.get(), on_protocols, nullptr);
    return context;
}

class Handshake : public Conversation {
  public:
    Handshake(int socket, std::shared_ptr<const Proofs> proofs)
        : proofs_(std::move(proofs)), tls_(SSL_new(proofs_->context.get())) {
        SSL_set_fd(tls_.get(), socket);
    }

    short go_on() override {
        ERR_clear_error();
        const int done = SSL_accept(tls_.get());
        if (done == 1) {
            SSL_shutdown(tls_.get()); // nothing more is said (RFC 8737, 4)
            return 0;
        }
        const int reason = SSL_get_error(tls_.get(), done);
        if (BIO_number_read(SSL_get_rbio(tls_.get())) > kLongestRequest)
            return 0;
        if (reason == SSL_ERROR_WANT_READ)
            return POLLIN;
        return reason == SSL_ERROR_WANT_WRITE ? POLLOUT : short{0};
    }

  private:
    std::shared_ptr<const Proofs> proofs_;
    Owned<SSL> tls_;
};

/// RFC 1035, 3.5.
std::string reverse_name(const in_addr& address) {
    std::array<unsigned char, sizeof address> bytes{};
    std::copy_n(reinterpret_cast<const unsigned char*>(&address), bytes.size(), bytes.begin());
    std::ranges::reverse(bytes);
    return fmt::format("{}.in-addr.arpa", fmt::join(bytes, "."));
}

/// RFC 3596, 2.5.
std::string reverse_name(const in6_addr& address) {
    std::string name;
    for (auto byte = std::rbegin(address.s6_addr); byte != std::rend(address.s6_addr); ++byte)
        name += fmt::format("{:x}.{:x}.", *byte & 0xFU, *byte >> 4U);
    return name + "ip6.arpa";
}

} // namespace

std::string server_name_of(const std::string& name) {
    in_addr ipv4{};
    in6_addr ipv6{};
    if (::inet_pton(AF_INET, name.c_str(), &ipv4) == 1)
        return reverse_name(ipv4);
    if (::inet_pton(AF_INET6, name.c_str(), &ipv6) == 1)
        return reverse_name(ipv6);
    return name;
}

Result<Listener::Begin> answer_alpn(std::span<const Challenge> challenges) {
    auto proofs = std::make_shared<Proofs>();
    COMMENTO_ASSIGN(proofs->key, make_key("ecdsa-p256"));
    for (const auto& challenge : challenges) {
        COMMENTO_ASSIGN(const std::string pem, make_proof(proofs->key.get(), challenge.name, digest_of(challenge)));
        const Owned<BIO> source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
        proofs->certificates[server_name_of(challenge.name)].reset(
            PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr));
    }
    proofs->context = make_context(*proofs);
    return [shared = std::shared_ptr<const Proofs>(std::move(proofs))](int socket) {
        return std::make_unique<Handshake>(socket, shared);
    };
}

Result<void> AlpnProver::check(const std::vector<std::string>& /*names*/) {
    if (listener_)
        return {};
    COMMENTO_ASSIGN(Listener listener, Listener::open(port_, "nginx' http module cannot answer tls-alpn-01: where "
                                                             "nginx has the port, set ACME_CHALLENGE=http-01"));
    listener_.emplace(std::move(listener));
    return {};
}

Result<void> AlpnProver::show(std::span<const Challenge> challenges) {
    COMMENTO_CHECK(check({}));
    COMMENTO_ASSIGN(Listener::Begin begin, answer_alpn(challenges));
    return listener_->serve(std::move(begin));
}

} // namespace commento
