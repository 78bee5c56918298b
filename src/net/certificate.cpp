#include "net/certificate.hpp"

#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/hex.hpp"
#include "base/printable.hpp"
#include "base/translate.hpp"
#include "net/openssl.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <cerrno>
#include <ctime>
#include <fmt/format.h>
#include <memory>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/socket.h>

namespace commento {
namespace {

std::string serial_of(const X509* certificate) {
    const Owned<BIGNUM> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
    const Owned<char> text(BN_bn2hex(number.get()));
    return text.get();
}

std::string name_part(const X509_NAME* name, int nid) {
    const int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0)
        return {};
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (size < 0)
        return {};
    const Owned<char> owned(reinterpret_cast<char*>(text));
    return printable({owned.get(), static_cast<std::size_t>(size)});
}

std::string issuer_of(const X509* certificate) {
    const X509_NAME* issuer = X509_get_issuer_name(certificate);
    const std::string common = name_part(issuer, NID_commonName);
    return common.empty() ? name_part(issuer, NID_organizationName) : common;
}

/// Of iPAddress, in the form that inet_ntop(3) writes; empty for one of neither size.
std::string address_in(const ASN1_OCTET_STRING* bytes) {
    constexpr int kIpv4 = 4;
    constexpr int kIpv6 = 16;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int size = ASN1_STRING_length(bytes);
    if (size != kIpv4 && size != kIpv6)
        return {};
    ::inet_ntop(size == kIpv4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text.data(), text.size());
    return text.data();
}

/// A certificate can hold any bytes for a name; no host has such a name.
bool is_plain(const std::string& name) {
    return !name.empty() &&
           std::ranges::all_of(name, [](char c) { return std::isgraph(static_cast<unsigned char>(c)) != 0; });
}

std::vector<std::string> names_of(const X509* certificate) {
    std::vector<std::string> names;
    const Owned<GENERAL_NAMES> found(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; i < sk_GENERAL_NAME_num(found.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(found.get(), i);
        if (name->type == GEN_IPADD)
            names.push_back(address_in(name->d.iPAddress));
        if (name->type != GEN_DNS)
            continue;
        const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
        std::string host(text, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
        if (is_plain(host))
            names.push_back(std::move(host));
    }
    return names;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
    std::tm parts{};
    ASN1_TIME_to_tm(time, &parts);
    return ::timegm(&parts);
}

std::string fingerprint_of(const X509* certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    X509_digest(certificate, EVP_sha256(), digest.data(), &size);
    return to_hex(std::span(digest).first(size));
}

bool names_responder(X509* certificate) {
    STACK_OF(OPENSSL_STRING)* addresses = X509_get1_ocsp(certificate);
    const bool any = sk_OPENSSL_STRING_num(addresses) > 0;
    X509_email_free(addresses);
    return any;
}

using Clock = std::chrono::steady_clock;

/// Waits until the socket is ready for `events`. False when the deadline passes first.
bool wait_ready(int socket, short events, Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entry{socket, events, 0};
    return left > 0 && ::poll(&entry, 1, static_cast<int>(left)) == 1;
}

/// As in addresses of the web: an IPv6 address in brackets.
std::string place(const std::string& address, int port) {
    return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                  : fmt::format("[{}]:{}", address, port);
}

Result<Fd> connect_to(const std::string& address, int port, Clock::time_point deadline) {
    addrinfo numeric{};
    numeric.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    numeric.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &numeric, &found) != 0)
        return fail(ErrorCode::internal, tr("{} is no IP address", address));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> target(found, &::freeaddrinfo);
    Fd socket(::socket(target->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket)
        return fail_errno(ErrorCode::network, tr("cannot open a socket"), errno);
    int fault = 0;
    if (::connect(socket.get(), target->ai_addr, target->ai_addrlen) != 0) {
        fault = errno;
        socklen_t size = sizeof fault;
        if (fault == EINPROGRESS && !wait_ready(socket.get(), POLLOUT, deadline))
            fault = ETIMEDOUT;
        else if (fault == EINPROGRESS)
            ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &fault, &size);
    }
    if (fault != 0)
        return fail_errno(ErrorCode::network, tr("cannot connect to {}", place(address, port)), fault);
    return socket;
}

/// Tells no address: the connection is the host's own. Goes into the empty buffer of a new connection as a whole.
Result<void> send_proxy_header(int socket, const std::string& where) {
    constexpr std::string_view kHeader = "PROXY UNKNOWN\r\n";
    if (::send(socket, kHeader.data(), kHeader.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(kHeader.size()))
        return fail_errno(ErrorCode::network, tr("cannot write to {}", where), errno);
    return {};
}

Result<void> shake_hands(SSL* tls, int socket, const std::string& where, Clock::time_point deadline) {
    while (true) {
        ERR_clear_error();
        const int done = SSL_connect(tls);
        if (done == 1)
            return {};
        const int reason = SSL_get_error(tls, done);
        if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE)
            return fail(ErrorCode::network, tr("{} does not complete a TLS handshake", where));
        if (!wait_ready(socket, reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline))
            return fail(ErrorCode::network, tr("{} does not complete a TLS handshake in time", where));
    }
}

} // namespace

Certificate describe_certificate(X509* certificate) {
    return {serial_of(certificate),
            issuer_of(certificate),
            names_of(certificate),
            seconds_of(X509_get0_notBefore(certificate)),
            seconds_of(X509_get0_notAfter(certificate)),
            X509_self_signed(certificate, 0) == 1,
            fingerprint_of(certificate),
            names_responder(certificate)};
}

Result<Certificate> parse_certificate(std::string_view pem) {
    const Owned<X509> certificate = parse_x509(pem);
    if (!certificate)
        return fail(ErrorCode::authority, tr("no certificate in the PEM text"));
    return describe_certificate(certificate.get());
}

Result<Certificate> read_certificate(const std::filesystem::path& file) {
    COMMENTO_ASSIGN(const std::string pem, read_file(file));
    auto certificate = parse_certificate(pem);
    if (!certificate)
        return fail(ErrorCode::storage, fmt::format("{}: {}", file.string(), certificate.error().message));
    return certificate;
}

Result<Certificate> served_certificate(const std::string& address, int port, const std::string& name,
                                       std::chrono::milliseconds limit, Preamble preamble) {
    const auto deadline = Clock::now() + limit;
    COMMENTO_ASSIGN(const Fd socket, connect_to(address, port, deadline));
    const Owned<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
    const Owned<SSL> tls(SSL_new(context.get()));
    SSL_set_tlsext_host_name(tls.get(), name.c_str());
    SSL_set_fd(tls.get(), socket.get());
    if (preamble == Preamble::proxy_protocol)
        COMMENTO_CHECK(send_proxy_header(socket.get(), place(address, port)));
    COMMENTO_CHECK(shake_hands(tls.get(), socket.get(), place(address, port), deadline));
    const Owned<X509> certificate(SSL_get1_peer_certificate(tls.get()));
    if (!certificate)
        return fail(ErrorCode::network, tr("{} presents no certificate", place(address, port)));
    return describe_certificate(certificate.get());
}

} // namespace commento
