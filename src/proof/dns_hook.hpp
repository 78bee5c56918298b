#pragma once
// dns-01 by programs that speak certbot's interface of manual hooks (--manual-auth-hook, --manual-cleanup-hook:
// certbot's user guide, "Pre and Post Validation Hooks"), so that those that exist work.

#include "proof/prover.hpp"

#include <string>
#include <vector>

namespace commento {

class DnsHook : public Prover {
  public:
    /// Absolute paths; without a program that cleans up nothing is taken away.
    DnsHook(std::string add, std::string remove) : add_(std::move(add)), remove_(std::move(remove)) {}
    DnsHook(const DnsHook&) = delete;
    DnsHook& operator=(const DnsHook&) = delete;
    /// Calls the program that cleans up for each call of the first one, the last first. Its failures are warned of.
    ~DnsHook() override;

    /// ErrorCode::settings where one of them is not there or may not be run.
    Result<void> check(const std::vector<std::string>& names) override;

    /// Calls the program for each challenge; it returns when the authority can see the record. ErrorCode::network where
    /// it fails or takes longer than 5 minutes.
    Result<void> show(std::span<const Challenge> challenges) override;

  private:
    using Environment = std::vector<std::string>;

    std::string add_;
    std::string remove_;
    std::vector<Environment> calls_{};
};

} // namespace commento
