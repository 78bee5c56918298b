#include "proof/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <fmt/format.h>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <span>
#include <sys/eventfd.h>
#include <sys/socket.h>

namespace commento {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostClients = 64;
constexpr std::chrono::seconds kPatience{10};

struct Client {
    Fd socket;
    std::unique_ptr<Conversation> conversation;
    short awaited;
    Clock::time_point deadline;
};

/// The clients of a listener, and the loop over them.
class Hall {
  public:
    Hall(std::span<const Fd> doors, int stop, const Listener::Begin& begin)
        : doors_(doors), stop_(stop), begin_(begin) {}

    void run() {
        while (true) {
            std::vector<pollfd> watched = everything();
            if (::poll(watched.data(), watched.size(), patience()) < 0)
                continue;
            if (watched.front().revents != 0)
                return;
            go_on(std::span(watched).last(clients_.size()));
            let_in();
        }
    }

  private:
    /// The order to stop, the doors unless all places are taken, the clients.
    std::vector<pollfd> everything() const {
        std::vector<pollfd> watched{{stop_, POLLIN, 0}};
        if (clients_.size() < kMostClients) {
            for (const auto& door : doors_)
                watched.push_back({door.get(), POLLIN, 0});
        }
        for (const auto& client : clients_)
            watched.push_back({client.socket.get(), client.awaited, 0});
        return watched;
    }

    /// Milliseconds until the first client's time is up.
    int patience() const {
        if (clients_.empty())
            return -1;
        const auto first = std::ranges::min_element(clients_, {}, &Client::deadline)->deadline;
        return static_cast<int>(
            std::max(std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now()).count(), std::int64_t{0}));
    }

    void go_on(std::span<const pollfd> watched) {
        for (std::size_t i = 0; i < watched.size(); ++i) {
            if (watched[i].revents != 0)
                clients_[i].awaited = clients_[i].conversation->go_on();
        }
        const auto now = Clock::now();
        std::erase_if(clients_, [now](const Client& client) { return client.awaited == 0 || client.deadline <= now; });
    }

    void let_in() {
        for (const auto& door : doors_) {
            while (clients_.size() < kMostClients) {
                Fd socket(::accept4(door.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
                if (!socket)
                    break;
                auto conversation = begin_(socket.get());
                clients_.push_back({std::move(socket), std::move(conversation), POLLIN, Clock::now() + kPatience});
            }
        }
    }

    std::span<const Fd> doors_;
    int stop_;
    const Listener::Begin& begin_;
    std::vector<Client> clients_{};
};

/// A listening socket, or errno.
tl::expected<Fd, int> listen_on(const sockaddr* address, socklen_t size) {
    constexpr int kOn = 1;
    Fd socket(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket)
        return tl::unexpected(errno);
    // Connections that a former run closed don't keep the port; another listener does.
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
    if (address->sa_family == AF_INET6)
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &kOn, sizeof kOn);
    if (::bind(socket.get(), address, size) != 0 || ::listen(socket.get(), SOMAXCONN) != 0)
        return tl::unexpected(errno);
    return socket;
}

tl::expected<Fd, int> listen_on_ipv4(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return listen_on(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

tl::expected<Fd, int> listen_on_ipv6(int port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_any;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    return listen_on(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

tl::unexpected<Error> not_open(int port, int fault, std::string hint_where_taken) {
    std::string hint;
    if (fault == EADDRINUSE)
        hint = std::move(hint_where_taken);
    if (fault == EACCES)
        hint = "commento-cert-renew.service has the right to ports below 1024 (CAP_NET_BIND_SERVICE): "
               "systemctl start commento-cert-renew";
    return fail_errno(ErrorCode::web, fmt::format("cannot listen on port {}", port), fault, std::move(hint));
}

} // namespace

Result<Listener> Listener::open(int port, std::string hint_where_taken) {
    std::vector<Fd> sockets;
    auto ipv4 = listen_on_ipv4(port);
    if (!ipv4)
        return not_open(port, ipv4.error(), std::move(hint_where_taken));
    sockets.push_back(std::move(*ipv4));
    auto ipv6 = listen_on_ipv6(port);
    if (ipv6)
        sockets.push_back(std::move(*ipv6));
    else if (ipv6.error() != EAFNOSUPPORT && ipv6.error() != EADDRNOTAVAIL) // the host has no IPv6
        return not_open(port, ipv6.error(), std::move(hint_where_taken));
    return Listener(std::move(sockets));
}

Listener::~Listener() { stop(); }

void Listener::stop() {
    if (!thread_.joinable())
        return;
    ::eventfd_write(stop_.get(), 1);
    thread_.join();
}

Result<void> Listener::serve(Begin begin) {
    stop();
    stop_ = Fd(::eventfd(0, EFD_CLOEXEC));
    if (!stop_)
        return fail_errno(ErrorCode::internal, "cannot make an eventfd", errno);
    thread_ = std::thread([doors = std::span<const Fd>(sockets_), stop = stop_.get(), begin = std::move(begin)] {
        Hall(doors, stop, begin).run();
    });
    return {};
}

} // namespace commento
