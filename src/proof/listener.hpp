#pragma once
// A server of our own for the moments of a proof: several clients at once (an authority looks from several places), and
// bounds on each.

#include "base/error.hpp"
#include "base/fd.hpp"

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace commento {

/// What is said over one connection.
class Conversation {
  public:
    Conversation() = default;
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;
    virtual ~Conversation() = default;

    /// Goes on until it would have to wait. Returns for what (POLLIN or POLLOUT of poll(2)), or 0 when it is over.
    virtual short go_on() = 0;
};

class Listener {
  public:
    /// Begins the conversation on a socket, which is non-blocking and outlives it.
    using Begin = std::function<std::unique_ptr<Conversation>(int socket)>;

    /// Takes the port on all IPv4 addresses and, where the host has it, IPv6. ErrorCode::web where another program has
    /// it, with that hint, or where the rights are missing.
    static Result<Listener> open(int port, std::string hint_where_taken);

    Listener(Listener&&) = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    Listener& operator=(Listener&&) = delete;
    /// Breaks off every conversation and gives the port back.
    ~Listener();

    /// Serves in a thread of its own, at most 64 clients at once and 10 s for each; who came since open() has waited.
    Result<void> serve(Begin begin);

  private:
    explicit Listener(std::vector<Fd> sockets) : sockets_(std::move(sockets)) {}
    void stop();

    std::vector<Fd> sockets_;
    Fd stop_{};
    std::thread thread_{};
};

/// The most that a client may send.
inline constexpr std::size_t kLongestRequest = 8192;

} // namespace commento
