#pragma once
// Messages to one name server (RFC 1035), signed by a key (TSIG, RFC 8945) where there is one: questions, and updates
// of a zone (RFC 2136). Over ldns.

#include "base/error.hpp"
#include "proof/dns_key.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace commento {

enum class RecordType : std::uint16_t {
    a = 1,
    ns = 2,
    cname = 5,
    soa = 6,
    txt = 16,
    aaaa = 28,
    caa = 257
}; // IANA, DNS parameters

/// Names are absolute (with the dot at their end) and in lower case.
struct DnsRecord {
    std::string owner;
    RecordType type;
    std::string data; ///< TXT: the text; NS, CNAME and SOA: the first name in it; A and AAAA: the address; CAA: flags,
                      ///< tag and value (RFC 8659, 4.1) with blanks between; else empty
};

struct DnsAnswer {
    int code; ///< RCODE (RFC 1035, 4.1.1)
    bool authoritative;
    std::vector<DnsRecord> answers;
    std::vector<DnsRecord> authority; ///< of that section

    static constexpr int kNoError = 0;
    static constexpr int kNoSuchName = 3;
    /// Whether the code tells what there is under a name, that it does not exist too.
    bool is_about_name() const { return code == kNoError || code == kNoSuchName; }
};

/// A TXT record to add to a zone or to take out of it; other records at its name stay.
struct DnsChange {
    enum class Kind { add, remove };
    Kind kind;
    std::string owner;
    std::string text;
};

class DnsServer {
  public:
    /// `place` is a host name, an IPv4 address or an IPv6 one in brackets, with a port where it is not 53.
    /// ErrorCode::network where the name has no address.
    static Result<DnsServer> find(const std::string& place, std::optional<TsigKey> key = std::nullopt);

    /// Any code is an answer, not a failure. ErrorCode::network where none comes within 10 s for each address, or one
    /// that makes no sense; ErrorCode::settings where the server does not take the key.
    Result<DnsAnswer> ask(const std::string& name, RecordType type) const;

    /// Makes all changes or none. ErrorCode::settings where the server refuses; else as ask().
    Result<void> update(const std::string& zone, std::span<const DnsChange> changes) const;

    const std::string& place() const { return place_; }

    struct Address {
        sockaddr_storage bytes;
        socklen_t size;
    };

  private:
    DnsServer(std::string place, std::vector<Address> addresses, std::optional<TsigKey> key)
        : place_(std::move(place)), addresses_(std::move(addresses)), key_(std::move(key)) {}

    std::string place_;
    std::vector<Address> addresses_;
    std::optional<TsigKey> key_;
};

} // namespace commento
