#pragma once
// dns-01 by dynamic updates (RFC 2136), signed by a TSIG key.

#include "proof/dns_client.hpp"
#include "proof/prover.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace commento {

/// Waits, up to a minute, until the servers show the texts at a name. One that can't be reached or is not
/// authoritative is left out. ErrorCode::network where one still does not show them.
Result<void> await_shown(std::vector<DnsServer> servers, const std::string& owner,
                         const std::vector<std::string>& texts);

class DnsUpdate : public Prover {
  public:
    /// Server and key as ACME_DNS_SERVER and ACME_DNS_KEY_FILE; the resolvers find aliases outside the server's zones.
    DnsUpdate(std::string server, std::filesystem::path key_file, std::vector<DnsServer> resolvers)
        : place_(std::move(server)), key_file_(std::move(key_file)), resolvers_(std::move(resolvers)) {}
    DnsUpdate(const DnsUpdate&) = delete;
    DnsUpdate& operator=(const DnsUpdate&) = delete;
    /// Takes out the very records that were added. A failure is warned of.
    ~DnsUpdate() override;

    /// Finds the record's name and zone for each name, with signed questions: a wrong key is told, too. Whether the
    /// key may change the record is known only by the update.
    Result<void> check(const std::vector<std::string>& names) override;

    /// Adds the records, and waits until that server and the zone's public ones show them.
    Result<void> show(std::span<const Challenge> challenges) override;

  private:
    struct Spot {
        std::string owner; ///< of the record
        std::string zone;
    };
    Result<void> connect();
    Result<Spot> spot_of(const std::string& name);
    Result<void> await(const std::string& zone, const std::vector<DnsChange>& added) const;

    std::string place_;
    std::filesystem::path key_file_;
    std::vector<DnsServer> resolvers_;
    std::optional<DnsServer> server_{};
    std::map<std::string, Spot> spots_{};                   ///< by name of the certificate
    std::map<std::string, std::vector<DnsChange>> added_{}; ///< by zone
};

} // namespace commento
