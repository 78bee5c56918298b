#include "ctl/firewall.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<int> kPorts{80, 443};

/// As `nft --json list ruleset` (1.0.6) prints it.
std::string ruleset(const std::string& policy, const std::string& rules) {
    return fmt::format(
        R"({{"nftables": [{{"metainfo": {{"version": "1.0.6"}}}}, {{"table": {{"family": "inet", "name": "filter"}}}},)"
        R"({{"chain": {{"family": "inet", "table": "filter", "name": "input", "hook": "input", "policy": "{}"}}}}{}]}})",
        policy, rules);
}

std::string accepting(const std::string& right) {
    return fmt::format(R"(, {{"rule": {{"chain": "input", "expr": [{{"match": {{"op": "==", "left": {{"payload": )"
                       R"({{"protocol": "tcp", "field": "dport"}}}}, "right": {}}}}}, {{"accept": null}}]}}}})",
                       right);
}

TEST(Nftables, AChainThatAcceptsHoldsNothingBack) {
    EXPECT_THAT(closed_by_rules(ruleset("accept", ""), kPorts), IsEmpty());
}

TEST(Nftables, AChainThatDropsHoldsBackWhatNoRuleNames) {
    EXPECT_THAT(closed_by_rules(ruleset("drop", ""), kPorts), ElementsAre(80, 443));
    EXPECT_THAT(closed_by_rules(ruleset("drop", accepting("22")), kPorts), ElementsAre(80, 443));
    EXPECT_THAT(closed_by_rules(ruleset("drop", accepting("80")), kPorts), ElementsAre(443));
}

TEST(Nftables, PortsAreReadFromSetsAndRanges) {
    EXPECT_THAT(closed_by_rules(ruleset("drop", accepting(R"({"set": [22, 80, 443]})")), kPorts), IsEmpty());
    EXPECT_THAT(closed_by_rules(ruleset("drop", accepting(R"({"range": [1, 100]})")), kPorts), ElementsAre(443));
    EXPECT_THAT(closed_by_rules(ruleset("drop", accepting(R"({"set": [{"range": [400, 500]}]})")), kPorts),
                ElementsAre(80));
}

TEST(Nftables, ASetByItsNameMayHoldThePort) {
    EXPECT_THAT(closed_by_rules(ruleset("drop", accepting(R"("@web")")), kPorts), IsEmpty());
}

TEST(Nftables, ARuleWithoutAPortOpensAllUnlessItIsForTheLoopbackOrForWhatIsThereAlready) {
    const auto rule = [](const std::string& match) {
        return fmt::format(R"(, {{"rule": {{"table": "filter", "chain": "input", "expr": [{}{{"accept": null}}]}}}})",
                           match);
    };
    EXPECT_THAT(closed_by_rules(ruleset("drop", rule("")), kPorts), IsEmpty());
    EXPECT_THAT(
        closed_by_rules(
            ruleset("drop", rule(R"({"match": {"left": {"meta": {"key": "iifname"}}, "right": "eth0"}}, )")), kPorts),
        IsEmpty());
    EXPECT_THAT(
        closed_by_rules(ruleset("drop", rule(R"({"match": {"left": {"meta": {"key": "iifname"}}, "right": "lo"}}, )")),
                        kPorts),
        ElementsAre(80, 443));
    EXPECT_THAT(closed_by_rules(
                    ruleset("drop", rule(R"({"match": {"left": {"ct": {"key": "state"}}, "right": "established"}}, )")),
                    kPorts),
                ElementsAre(80, 443));
}

TEST(Nftables, RulesOfOtherHooksOpenNothing) {
    const std::string forward =
        R"(, {"chain": {"table": "filter", "name": "forward", "hook": "forward", "policy": "accept"}})"
        R"(, {"rule": {"table": "filter", "chain": "forward", "expr": [{"accept": null}]}})";
    EXPECT_THAT(closed_by_rules(ruleset("drop", forward), kPorts), ElementsAre(80, 443));
}

TEST(Nftables, WhatIsNoRulesetHoldsNothingBack) {
    for (const char* text : {"", "{", "[]", R"({"nftables": 3})", R"({"nftables": [1, null, {"chain": 2}]})"})
        EXPECT_THAT(closed_by_rules(text, kPorts), IsEmpty()) << text;
}

TEST(Ufw, WhatItDoesNotAllowIsClosedWhileItIsActive) {
    const std::string head = "Status: active\n\nTo                         Action      From\n--    ------      ----\n";
    EXPECT_THAT(closed_by_ufw("Status: inactive\n", kPorts), IsEmpty());
    EXPECT_THAT(closed_by_ufw(head + "22/tcp                     ALLOW       Anywhere\n", kPorts),
                ElementsAre(80, 443));
    EXPECT_THAT(closed_by_ufw(head + "80/tcp                     ALLOW       Anywhere\n", kPorts), ElementsAre(443));
    EXPECT_THAT(closed_by_ufw(head + "80,443/tcp                 ALLOW       Anywhere\n", kPorts), IsEmpty());
    EXPECT_THAT(closed_by_ufw(head + "Nginx Full                 ALLOW       Anywhere\n", kPorts), IsEmpty());
    EXPECT_THAT(closed_by_ufw(head + "Nginx HTTP                 ALLOW       Anywhere\n", kPorts), ElementsAre(443));
    EXPECT_THAT(
        closed_by_ufw(head + "80/tcp                     DENY        Anywhere\n443                        LIMIT       "
                             "Anywhere\n",
                      kPorts),
        ElementsAre(80));
}

TEST(Opening, EachFilterHasItsOwnCommands) {
    EXPECT_EQ(to_string(opening({Firewall::ufw, "ufw", {80, 443}})), "sudo ufw allow 80/tcp && sudo ufw allow 443/tcp");
    EXPECT_EQ(to_string(opening({Firewall::firewalld, "firewalld", {443}})),
              "sudo firewall-cmd --add-port=443/tcp && sudo firewall-cmd --permanent --add-port=443/tcp");
    EXPECT_THAT(to_string(opening({Firewall::nftables, "nftables", {80, 443}})),
                testing::HasSubstr("tcp dport { 80, 443 } accept"));
}

} // namespace
} // namespace commento
