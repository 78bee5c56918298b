#pragma once
// What the distribution has in newer versions, as far as the host has heard of it: no network is used, and who runs
// this may have heard less than root.

#include "base/host_facts.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

/// Package and newer version. Of apt-cache(8) policy; of `dnf repoquery --upgrades`, a line "NAME VERSION" each.
using Updates = std::map<std::string, std::string>;
Updates updates_of_apt(std::string_view policy);
Updates updates_of_dnf(std::string_view listing);

/// Empty where the host's tool does not answer, too.
Updates find_updates(const HostFacts& facts, const std::vector<std::string>& packages);

} // namespace commento
