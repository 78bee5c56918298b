// TLS 1.3 connections, many at once, by one thread.
//
//     connections handshakes ADDRESS PORT NAME PARALLEL SECONDS
//     connections sockets ADDRESS PORT NAME COUNT
//
// handshakes: full ones, each on a new connection that is then closed in order; as one line
//
//     handshakes failed seconds median-microseconds p99-microseconds
//
// sockets: as many idle WebSockets at /ws as asked for. When all are tried, or no further one has opened for ten
// seconds, a line "open failed"; they stay until its standard input ends.

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace {

double now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

enum class Stage { handshake, upgrade, idle, goodbye };

struct Connection {
    int fd = -1;
    SSL* ssl = nullptr;
    double begin = 0;
    Stage stage = Stage::handshake;
    std::string received;

    ~Connection() {
        SSL_free(ssl);
        close(fd);
    }
    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
};

class Load {
  public:
    Load(const char* address, const char* port, std::string name, bool is_http2)
        : name_(std::move(name)), poll_(epoll_create1(EPOLL_CLOEXEC)), context_(SSL_CTX_new(TLS_client_method())) {
        target_.sin_family = AF_INET;
        target_.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
        inet_pton(AF_INET, address, &target_.sin_addr);
        SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
        SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);
        const std::string protocols = is_http2 ? "\x02h2\x08http/1.1" : "\x08http/1.1";
        SSL_CTX_set_alpn_protos(context_, reinterpret_cast<const unsigned char*>(protocols.data()),
                                static_cast<unsigned>(protocols.size()));
    }

    int handshakes(int parallel, double seconds) {
        const double begin = now();
        double end = begin + seconds;
        for (int i = 0; i < parallel; ++i)
            connect();
        while (now() < end)
            turn([&](Connection& connection) { next_handshake(connection); });
        end = now();
        std::sort(times_.begin(), times_.end());
        std::printf("%zu %ld %.6f %.1f %.1f\n", times_.size(), failed_, end - begin, percentile(0.5), percentile(0.99));
        return EXIT_SUCCESS;
    }

    int sockets(long count) {
        constexpr long most_opening = 64;
        constexpr double patience = 10;
        watch(STDIN_FILENO, nullptr, EPOLLIN);
        long tried = 0;
        long most = 0;
        double last = now();
        bool is_told = false;
        while (!is_input_over_) {
            for (; !is_told && tried < count && tried - open_ - failed_ < most_opening; ++tried)
                connect();
            if (open_ > most) {
                most = open_;
                last = now();
            }
            if (!is_told && (open_ + failed_ >= count || now() - last > patience)) {
                std::printf("%ld %ld\n", open_, count - open_);
                std::fflush(stdout);
                is_told = true;
            }
            turn([&](Connection& connection) { next_socket(connection); });
        }
        return EXIT_SUCCESS;
    }

  private:
    // --- connections ---

    void connect() {
        auto* made = new Connection;
        made->begin = now();
        made->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (made->fd < 0 ||
            (::connect(made->fd, reinterpret_cast<sockaddr*>(&target_), sizeof target_) != 0 && errno != EINPROGRESS)) {
            std::perror("connections");
            std::exit(EXIT_FAILURE); // the bench's own trouble, not the server's
        }
        made->ssl = SSL_new(context_);
        SSL_set_fd(made->ssl, made->fd);
        SSL_set_tlsext_host_name(made->ssl, name_.c_str());
        SSL_set_connect_state(made->ssl);
        watch(made->fd, made, EPOLLOUT);
    }

    void watch(int fd, Connection* connection, uint32_t what, int how = EPOLL_CTL_ADD) {
        epoll_event event{};
        event.events = what;
        event.data.ptr = connection;
        epoll_ctl(poll_, how, fd, &event);
    }

    template <class Next>
    void turn(Next next) {
        epoll_event events[64];
        const int count = epoll_wait(poll_, events, 64, 100);
        for (int i = 0; i < count; ++i) {
            ERR_clear_error(); // what the connection before left there would be taken for this one's
            auto* connection = static_cast<Connection*>(events[i].data.ptr);
            if (connection != nullptr)
                next(*connection);
            else if (char byte = 0; read(STDIN_FILENO, &byte, 1) <= 0)
                is_input_over_ = true;
        }
    }

    // True when it is done; false when it has to wait, and now waits, or when the connection has failed, and is gone.
    bool shake_hands(Connection& connection) {
        const int result = SSL_do_handshake(connection.ssl);
        if (result == 1)
            return true;
        if (!wait_for(connection, result))
            fail(connection);
        return false;
    }

    bool wait_for(Connection& connection, int result) {
        switch (SSL_get_error(connection.ssl, result)) {
        case SSL_ERROR_WANT_READ:
            watch(connection.fd, &connection, EPOLLIN, EPOLL_CTL_MOD);
            return true;
        case SSL_ERROR_WANT_WRITE:
            watch(connection.fd, &connection, EPOLLOUT, EPOLL_CTL_MOD);
            return true;
        default:
            return false;
        }
    }

    void fail(Connection& connection) {
        ++failed_;
        delete &connection;
    }

    // --- handshakes ---

    void next_handshake(Connection& connection) {
        if (connection.stage == Stage::handshake) {
            const long failed = failed_;
            if (!shake_hands(connection)) {
                if (failed_ != failed)
                    connect();
                return;
            }
            times_.push_back((now() - connection.begin) * 1e6);
            // Closed only when the server has closed its side as well: it is then done with the handshake.
            connection.stage = Stage::goodbye;
            SSL_shutdown(connection.ssl);
            shutdown(connection.fd, SHUT_WR);
            watch(connection.fd, &connection, EPOLLIN, EPOLL_CTL_MOD);
            return;
        }
        char buffer[4096];
        const ssize_t count = read(connection.fd, buffer, sizeof buffer);
        if (count > 0 || (count < 0 && errno == EAGAIN))
            return;
        delete &connection;
        connect();
    }

    double percentile(double share) const {
        return times_.empty() ? 0 : times_[static_cast<size_t>(share * static_cast<double>(times_.size() - 1))];
    }

    // --- WebSockets ---

    void next_socket(Connection& connection) {
        if (connection.stage == Stage::handshake) {
            if (!shake_hands(connection))
                return;
            const std::string request = "GET /ws HTTP/1.1\r\nHost: " + name_ +
                                        "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                                        "Origin: https://blog.example.test\r\n\r\n";
            SSL_write(connection.ssl, request.data(), static_cast<int>(request.size()));
            connection.stage = Stage::upgrade;
            watch(connection.fd, &connection, EPOLLIN, EPOLL_CTL_MOD);
            return;
        }
        char buffer[2048];
        int count = 0;
        while ((count = SSL_read(connection.ssl, buffer, sizeof buffer)) > 0)
            connection.received.append(buffer, static_cast<size_t>(count));
        const bool is_open = SSL_get_error(connection.ssl, count) == SSL_ERROR_WANT_READ;
        if (connection.stage == Stage::upgrade)
            finish_upgrade(connection, is_open);
        else if (!is_open) {
            --open_;
            fail(connection);
        }
    }

    void finish_upgrade(Connection& connection, bool is_open) {
        const size_t end = connection.received.find("\r\n\r\n");
        if (end == std::string::npos && is_open)
            return;
        if (end == std::string::npos || connection.received.find(" 101 ") > end)
            return fail(connection);
        connection.received = {};
        connection.stage = Stage::idle;
        ++open_;
    }

    std::string name_;
    int poll_;
    SSL_CTX* context_;
    sockaddr_in target_{};
    std::vector<double> times_;
    long failed_ = 0;
    long open_ = 0;
    bool is_input_over_ = false;
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 6)
        return EXIT_FAILURE;
    std::signal(SIGPIPE, SIG_IGN);
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    const bool is_handshakes = std::strcmp(argv[1], "handshakes") == 0;
    Load load(argv[2], argv[3], argv[4], is_handshakes);
    if (is_handshakes && argc == 7)
        return load.handshakes(std::atoi(argv[5]), std::atof(argv[6]));
    return load.sockets(std::atol(argv[5]));
}
