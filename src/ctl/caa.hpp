#pragma once
// Whether a domain lets an authority issue for it: CAA records (RFC 8659).

#include "base/error.hpp"

#include <functional>
#include <string>
#include <vector>

namespace commento {

/// The CAA records at a name, each as "FLAGS TAG VALUE"; none where there is no such name.
using AskCaa = std::function<Result<std::vector<std::string>>(const std::string& name)>;

struct CaaPolicy {
    std::string owner; ///< where the records stand; empty where nobody restricts anything
    std::vector<std::string> records;
};

/// The policy for a name: at the name itself or, climbing up, at the first one above that has any (RFC 8659, 3).
Result<CaaPolicy> find_policy(const std::string& name, const AskCaa& ask);

/// Whether these records let an authority with one of these names issue (RFC 8659, 4.2 and 4.3). Parameters of a
/// value are not looked at: only the authority knows what they mean.
bool allows(const std::vector<std::string>& records, const std::vector<std::string>& identities, bool is_wildcard);

} // namespace commento
