#include "ctl/firewall.hpp"

#include "base/process.hpp"
#include "base/translate.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>

namespace commento {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kLimit{10};
constexpr std::size_t kLargestRuleset = 16U << 20U;

std::optional<std::string> printed_by(const std::vector<std::string>& command) {
    auto outcome = run_program(command, kLimit, {}, Stderr::apart, kLargestRuleset);
    if (!outcome || outcome->status != 0)
        return std::nullopt;
    return std::move(outcome->output);
}

template <typename IsClosed>
std::vector<int> those(const std::vector<int>& ports, IsClosed is_closed) {
    std::vector<int> closed;
    std::ranges::copy_if(ports, std::back_inserter(closed), is_closed);
    return closed;
}

std::vector<int> closed_by_firewalld(const std::vector<int>& ports) {
    return those(ports, [](int port) {
        const char* service = port == 80 ? "http" : port == 443 ? "https" : "";
        const bool by_service =
            *service != '\0' && printed_by({"firewall-cmd", fmt::format("--query-service={}", service)});
        return !by_service && !printed_by({"firewall-cmd", fmt::format("--query-port={}/tcp", port)});
    });
}

// --- nftables ---

const json& member(const json& object, const char* name) {
    static const json nothing;
    return object.is_object() && object.contains(name) ? object.at(name) : nothing;
}

/// 80, {"range": [80, 90]}, {"set": [80, …]}.
bool holds_port(const json& value, int port) {
    if (value.is_number_integer())
        return value.get<int>() == port;
    const json& range = member(value, "range");
    if (range.is_array() && range.size() == 2 && range[0].is_number_integer() && range[1].is_number_integer())
        return range[0].get<int>() <= port && port <= range[1].get<int>();
    const json& set = member(value, "set");
    return set.is_array() && std::ranges::any_of(set, [&](const json& each) { return holds_port(each, port); });
}

bool is_about_ports(const json& match) { return member(member(member(match, "left"), "payload"), "field") == "dport"; }

template <typename Is>
bool any_step(const json& rule, Is is) {
    const json& steps = member(rule, "expr");
    return steps.is_array() && std::ranges::any_of(steps, is);
}

/// Restricts to what is no reader: the loopback, connections that are there already, ping.
bool is_narrow(const json& match) {
    const json& meta = member(member(match, "left"), "meta");
    const json& key = member(meta, "key");
    if (key == "l4proto")
        return member(match, "right") != "tcp";
    if (key == "iifname" || key == "iif")
        return member(match, "right") == "lo";
    return match.is_object();
}

/// Whether a rule that accepts may mean the port: it names it, or a set by its name, or asks for no port at all. What
/// can't be read (iptables' own modules, maps) may.
bool lets_through(const json& rule, int port) {
    if (any_step(rule,
                 [](const json& step) { return step.is_object() && (step.contains("xt") || step.contains("vmap")); }))
        return true;
    const bool jumps = any_step(
        rule, [](const json& step) { return step.is_object() && (step.contains("jump") || step.contains("goto")); });
    const bool accepts = any_step(rule, [](const json& step) { return step.is_object() && step.contains("accept"); });
    const auto is_about = [](const json& step) { return is_about_ports(member(step, "match")); };
    if (!any_step(rule, is_about))
        return accepts && !any_step(rule, [](const json& step) { return is_narrow(member(step, "match")); });
    return (accepts || jumps) && any_step(rule, [&](const json& step) {
               const json& match = member(step, "match");
               return is_about_ports(match) &&
                      (member(match, "right").is_string() || holds_port(member(match, "right"), port));
           });
}

/// Rules of chains on other hooks decide nothing about what comes in.
bool is_of_another_hook(const json& entries, const json& rule) {
    return std::ranges::any_of(entries, [&](const json& entry) {
        const json& chain = member(entry, "chain");
        const json& hook = member(chain, "hook");
        return hook.is_string() && hook != "input" && member(chain, "name") == member(rule, "chain") &&
               member(chain, "table") == member(rule, "table");
    });
}

} // namespace

std::vector<int> closed_by_rules(std::string_view ruleset, const std::vector<int>& ports) {
    const json parsed = json::parse(ruleset, nullptr, false);
    const json& entries = member(parsed, "nftables");
    if (!entries.is_array())
        return {};
    const bool drops = std::ranges::any_of(entries, [](const json& entry) {
        const json& chain = member(entry, "chain");
        return member(chain, "hook") == "input" && member(chain, "policy") == "drop";
    });
    if (!drops)
        return {};
    return those(ports, [&](int port) {
        return std::ranges::none_of(entries, [&](const json& entry) {
            const json& rule = member(entry, "rule");
            return rule.is_object() && !is_of_another_hook(entries, rule) && lets_through(rule, port);
        });
    });
}

std::vector<int> closed_by_ufw(std::string_view status, const std::vector<int>& ports) {
    if (status.find("Status: active") == std::string_view::npos ||
        status.find("Default: allow (incoming)") != std::string_view::npos)
        return {};
    return those(ports, [&](int port) {
        // "80/tcp  ALLOW  Anywhere", "80,443/tcp  ALLOW …", "Nginx Full  ALLOW …"
        const std::string number = fmt::format("(^|\n|,){}(,[0-9,]+)?(/tcp)?( \\(v6\\))? +(ALLOW|LIMIT)", port);
        const std::string profile = fmt::format("(^|\n)(Nginx|Apache|WWW) (Full|{})( \\(v6\\))? +(ALLOW|LIMIT)",
                                                port == 80 ? "HTTP" : "HTTPS|Secure");
        const auto has = [&](const std::string& pattern) {
            return std::regex_search(status.begin(), status.end(), std::regex(pattern));
        };
        return !has(number) && !((port == 80 || port == 443) && has(profile));
    });
}

FirewallView view_firewall(const std::vector<int>& ports) {
    if (printed_by({"firewall-cmd", "--state"}))
        return {Firewall::firewalld, "firewalld", closed_by_firewalld(ports)};
    if (const auto status = printed_by({"ufw", "status", "verbose"});
        status && status->find("Status: active") != std::string::npos)
        return {Firewall::ufw, "ufw", closed_by_ufw(*status, ports)};
    if (const auto ruleset = printed_by({"nft", "--json", "list", "ruleset"});
        ruleset && ruleset->find("\"input\"") != std::string::npos)
        return {Firewall::nftables, "nftables", closed_by_rules(*ruleset, ports)};
    return {};
}

Remedy opening(const FirewallView& view) {
    Remedy remedy;
    for (const int port : view.closed) {
        if (view.kind ==
            Firewall::firewalld) { // now, and from the next start on; a reload would drop others' rules of now
            remedy.commands.push_back({"firewall-cmd", fmt::format("--add-port={}/tcp", port)});
            remedy.commands.push_back({"firewall-cmd", "--permanent", fmt::format("--add-port={}/tcp", port)});
        }
        if (view.kind == Firewall::ufw)
            remedy.commands.push_back({"ufw", "allow", fmt::format("{}/tcp", port)});
    }
    if (view.kind == Firewall::nftables)
        remedy.advice = tr("have the chain that drops accept it: tcp dport {{ {} }} accept (nft list ruleset "
                           "shows the chains, /etc/nftables.conf is where they mostly come from)",
                           fmt::join(view.closed, ", "));
    return remedy;
}

} // namespace commento
