#include "net/server.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>

namespace commento {
namespace {

void require(bool condition, const char* what) {
    if (!condition)
        throw std::runtime_error(what);
}

void add_extension(X509* certificate, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

} // namespace

TestCertificate::TestCertificate(const std::string& name)
    : key(EVP_EC_gen("P-256"), &EVP_PKEY_free), certificate(X509_new(), &X509_free) {
    constexpr long kHour = 3600;
    X509* made = certificate.get();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 0x1234);
    X509_gmtime_adj(X509_getm_notBefore(made), -kHour);
    X509_gmtime_adj(X509_getm_notAfter(made), kHour);
    X509_NAME* subject = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("Test issuer"), -1,
                               -1, 0);
    X509_set_issuer_name(made, subject);
    X509_set_pubkey(made, key.get());
    add_extension(made, NID_subject_alt_name, "DNS:" + name + ",DNS:second.example,IP:127.0.0.1");
    require(X509_sign(made, key.get(), EVP_sha256()) > 0, "signature");
}

std::string TestCertificate::pem() const {
    const Owned<BIO> text(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(text.get(), certificate.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(text.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string Peer::read(std::size_t size) {
    std::string data(size, '\0');
    const auto got = tls_ != nullptr ? SSL_read(tls_, data.data(), static_cast<int>(size))
                                     : static_cast<int>(::recv(socket_, data.data(), size, 0));
    data.resize(static_cast<std::size_t>(std::max(got, 0)));
    return data;
}

void Peer::write(const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
        const char* rest = text.data() + sent;
        const std::size_t size = text.size() - sent;
        const auto done = tls_ != nullptr ? SSL_write(tls_, rest, static_cast<int>(size))
                                          : static_cast<int>(::send(socket_, rest, size, MSG_NOSIGNAL));
        if (done <= 0)
            return;
        sent += static_cast<std::size_t>(done);
    }
}

std::string Peer::read_request() {
    std::string request;
    std::size_t end = std::string::npos;
    while ((end = request.find("\r\n\r\n")) == std::string::npos) {
        const std::string more = read();
        if (more.empty())
            return {};
        request += more;
    }
    const std::string length = "Content-Length: ";
    const auto at = request.find(length);
    const std::size_t whole = end + 4 + (at < end ? std::stoul(request.substr(at + length.size())) : 0);
    while (request.size() < whole) {
        const std::string more = read();
        if (more.empty())
            return {};
        request += more;
    }
    return request;
}

Server::Server(Handler handler, const TestCertificate* certificate)
    : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::signal(SIGPIPE, SIG_IGN); // as in every program of ours (program.cpp)
    if (certificate != nullptr) {
        context_.reset(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
        require(SSL_CTX_use_certificate(context_.get(), certificate->certificate.get()) == 1, "certificate");
        require(SSL_CTX_use_PrivateKey(context_.get(), certificate->key.get()) == 1, "key");
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    require(::bind(listener_.get(), generic, size) == 0, "bind");
    require(::listen(listener_.get(), SOMAXCONN) == 0, "listen");
    require(::getsockname(listener_.get(), generic, &size) == 0, "getsockname");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
}

Server::~Server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
}

void Server::serve() {
    while (true) {
        const Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!socket)
            return;
        ++connections_;
        serve_one(socket.get());
    }
}

void Server::serve_one(int socket) {
    // A client that keeps its connection must not keep the test from ending.
    const timeval patience{10, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!context_) {
        Peer peer(socket, nullptr);
        return handler_(peer);
    }
    const Owned<SSL> tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), socket);
    if (SSL_accept(tls.get()) != 1)
        return;
    Peer peer(socket, tls.get());
    handler_(peer);
    SSL_shutdown(tls.get());
}

} // namespace commento
