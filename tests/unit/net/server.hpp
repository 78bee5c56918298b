#pragma once
// A tiny server on the loopback interface for one test: each connection is handed to the test's own function, in a
// thread, one after the other. Over TLS where it has a certificate.

#include "base/fd.hpp"
#include "net/openssl.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace commento {

/// A key and a certificate that it signed itself, for 127.0.0.1 and `name`.
struct TestCertificate {
    explicit TestCertificate(const std::string& name);

    std::string pem() const;

    std::shared_ptr<EVP_PKEY> key;
    std::shared_ptr<X509> certificate;
};

/// One connection as the test sees it.
class Peer {
  public:
    Peer(int socket, SSL* tls) : socket_(socket), tls_(tls) {}

    /// Up to `size` bytes; empty when the client has gone.
    std::string read(std::size_t size = 65536);
    void write(const std::string& text);

    /// The head of one request and, by its Content-Length, its body. Empty when the client has gone.
    std::string read_request();

    int socket() const { return socket_; }

  private:
    int socket_;
    SSL* tls_;
};

class Server {
  public:
    using Handler = std::function<void(Peer&)>;

    explicit Server(Handler handler, const TestCertificate* certificate = nullptr);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    int port() const { return port_; }
    int connections() const { return connections_; }

  private:
    void serve();
    void serve_one(int socket);

    Handler handler_;
    std::shared_ptr<SSL_CTX> context_;
    Fd listener_;
    int port_ = 0;
    std::atomic<int> connections_ = 0;
    std::thread thread_;
};

} // namespace commento
