#pragma once
// tls-alpn-01 (RFC 8737). Only a server that has port 443 to itself can answer it: nginx' http module serves one
// certificate for a name, whatever protocol the client asks for.

#include "acme/challenge.hpp"
#include "proof/listener.hpp"
#include "proof/prover.hpp"

#include <optional>
#include <span>
#include <string>

namespace commento {

/// The server name under which an authority asks for the proof of a name: that name, or the reverse name of an IP
/// address (RFC 8738, 6).
std::string server_name_of(const std::string& name);

/// Completes the handshake with a client that offers acme-tls/1 alone and asks for one of the challenges' names, and
/// refuses every other.
Result<Listener::Begin> answer_alpn(std::span<const Challenge> challenges);

class AlpnProver : public Prover {
  public:
    /// An authority always comes to port 443.
    explicit AlpnProver(int port = 443) : port_(port) {}

    Result<void> check(const std::vector<std::string>& names) override;
    Result<void> show(std::span<const Challenge> challenges) override;

  private:
    int port_;
    std::optional<Listener> listener_{};
};

} // namespace commento
