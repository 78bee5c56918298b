#pragma once
// Let's Encrypt's published rate limits (letsencrypt.org/docs/rate-limits, read in its version of 2025), counted here
// so that none is run into. Each is a bucket that refills steadily; of a bucket, only the moment when it is full again
// is kept (the generic cell rate algorithm). Other authorities publish none, and their answers are heeded as they come
// (history.hpp).

#include "base/error.hpp"
#include "base/paths.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

enum class Limit {
    registrations,     ///< accounts made from this address: 10 in 3 hours
    orders,            ///< 300 in 3 hours
    certificates,      ///< for a registered domain: 50 in 7 days
    same_certificates, ///< for exactly the same names: 5 in 7 days
    failed_proofs,     ///< of a name: 5 an hour
};

class Limits {
  public:
    /// What is known of this directory; without limits where it is not Let's Encrypt's (its staging one has others, so
    /// wide that they are not counted).
    static Limits load(const Paths& paths, const std::string& directory);

    /// ErrorCode::later, with the moment from when on, where one more certificate for these names would break a limit.
    Result<void> check(const std::vector<std::string>& names, std::int64_t now) const;

    /// ErrorCode::later, likewise, where one more account would break its limit.
    Result<void> check_registration(std::int64_t now) const;

    /// How many more certificates for exactly these names there may be now; -1: without limit.
    int left(const std::vector<std::string>& names, std::int64_t now) const;

    void count_registration(std::int64_t now);
    void count_order(std::int64_t now);
    void count_certificate(const std::vector<std::string>& names, std::int64_t now);
    void count_failed_proof(const std::string& name, std::int64_t now);

    /// Writes what was counted.
    Result<void> save(std::int64_t now) const;

  private:
    void count(Limit limit, const std::string& what, std::int64_t now);
    int left_of(Limit limit, const std::string& what, std::int64_t now) const;
    std::int64_t free_from(Limit limit, const std::string& what, std::int64_t now) const;

    std::filesystem::path file_{}; ///< empty: without limits
    std::map<std::string, std::int64_t> full_again_{};
};

/// The domain that somebody can register and that a name belongs to, by the Public Suffix List: example.co.uk of
/// a.b.example.co.uk. An IP address is its own.
std::string registered_domain(const std::string& name);

} // namespace commento
