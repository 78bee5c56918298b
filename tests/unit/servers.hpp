#pragma once
// Real servers as children of a test, and sockets to them.

#include "base/fd.hpp"
#include "base/pace.hpp"

#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace commento {

/// A program that is killed with its owner.
class Child {
  public:
    /// `log` takes what it prints.
    Child(const std::vector<std::string>& arguments, const std::string& log) {
        std::vector<char*> argv;
        for (const auto& argument : arguments)
            argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        id_ = ::fork();
        if (id_ != 0)
            return;
        const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(output, STDOUT_FILENO);
        ::dup2(output, STDERR_FILENO);
        ::execv(argv.front(), argv.data());
        ::_exit(127);
    }
    /// Asked to end, and not killed: it may have children of its own.
    ~Child() { stop(SIGTERM); }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    void stop(int signal) {
        if (id_ > 0) {
            ::kill(id_, signal);
            ::waitpid(id_, nullptr, 0);
        }
        id_ = -1;
    }

  private:
    pid_t id_ = -1;
};

/// IPv4 or IPv6.
inline Fd connected(const std::string& address, int port) {
    const bool ipv6 = address.find(':') != std::string::npos;
    Fd socket(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    v4.sin_port = v6.sin6_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, address.c_str(), &v4.sin_addr);
    ::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr);
    const auto* generic = ipv6 ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
    if (::connect(socket.get(), generic, ipv6 ? sizeof v6 : sizeof v4) != 0)
        return {};
    return socket;
}

/// A port of 127.0.0.1 that was free a moment ago.
inline int free_port() {
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

inline void wait_for_server(int port) {
    for (Pace pace(Pace::Duration(5), Pace::Duration(100), std::chrono::seconds(30)); !connected("127.0.0.1", port);) {
        if (!pace.wait())
            throw std::runtime_error("the server does not come up");
    }
}

inline void send_all(const Fd& socket, const std::string& text) {
    ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

/// Everything until the other side closes.
inline std::string receive_all(const Fd& socket) {
    std::string all;
    std::array<char, 4096> buffer{};
    while (true) {
        const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
        if (got <= 0)
            return all;
        all.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

} // namespace commento
