#pragma once
// The host's packet filter, as far as it can be read: firewalld, ufw, or the rules of nftables themselves (which
// iptables of today makes, too).

#include "ctl/remedy.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace commento {

enum class Firewall { none, firewalld, ufw, nftables };

struct FirewallView {
    Firewall kind = Firewall::none;
    std::string name{};
    std::vector<int> closed{}; ///< of the ports that were asked about
};

/// Root only. What can't be read counts as none.
FirewallView view_firewall(const std::vector<int>& ports);

/// What opens the ports that are closed.
Remedy opening(const FirewallView& view);

/// The TCP ports that the rules in `nft --json list ruleset` hold back: some chain on the hook `input` drops what it
/// has no rule for, and no rule that accepts may mean the port. This finds the plain mistake, not every one.
std::vector<int> closed_by_rules(std::string_view ruleset, const std::vector<int>& ports);

/// The same of what `ufw status verbose` prints.
std::vector<int> closed_by_ufw(std::string_view status, const std::vector<int>& ports);

} // namespace commento
