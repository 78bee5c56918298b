#include "proof/dns_name.hpp"

#include "base/files.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>

namespace commento {
namespace {

/// The target of the alias at that name; empty where there is none.
std::string alias_in(const DnsAnswer& answer, const std::string& name) {
    const auto found = std::ranges::find_if(answer.answers, [&](const DnsRecord& record) {
        return record.type == RecordType::cname && record.owner == name;
    });
    return found == answer.answers.end() ? std::string() : found->data;
}

Result<std::string> alias_of(const std::string& name, const DnsServer& server, std::span<const DnsServer> resolvers) {
    COMMENTO_ASSIGN(const DnsAnswer own, server.ask(name, RecordType::cname));
    if (own.authoritative && own.is_about_name())
        return alias_in(own, name);
    for (const auto& resolver : resolvers) {
        const auto answer = resolver.ask(name, RecordType::cname);
        if (answer && answer->is_about_name())
            return alias_in(*answer, name);
    }
    return fail(
        ErrorCode::network,
        fmt::format("cannot find out whether {} is an alias: {} is not authoritative for it, and no resolver of "
                    "this host answers",
                    name, server.place()),
        "is ACME_DNS_SERVER the one that has the zone? Do the resolvers of /etc/resolv.conf answer?");
}

const DnsRecord* soa_in(const std::vector<DnsRecord>& records) {
    const auto found = std::ranges::find(records, RecordType::soa, &DnsRecord::type);
    return found == records.end() ? nullptr : &*found;
}

} // namespace

std::vector<DnsServer> host_resolvers(const Paths& paths) {
    constexpr std::size_t kMost = 3; // resolv.conf(5), MAXNS
    std::vector<DnsServer> resolvers;
    std::istringstream lines(read_file(paths.root / "etc/resolv.conf").value_or(""));
    for (std::string line; resolvers.size() < kMost && std::getline(lines, line);) {
        std::istringstream words(line);
        std::string word;
        std::string address;
        if (!(words >> word >> address) || word != "nameserver")
            continue;
        const bool ipv6 = address.find(':') != std::string::npos;
        if (auto server = DnsServer::find(ipv6 ? fmt::format("[{}]", address) : address))
            resolvers.push_back(std::move(*server));
    }
    return resolvers;
}

Result<std::string> record_name(const std::string& name, const DnsServer& server,
                                std::span<const DnsServer> resolvers) {
    constexpr std::string_view kWildcard = "*.";
    constexpr std::size_t kMostSteps = 8;
    const std::string start =
        fmt::format("_acme-challenge.{}.", name.starts_with(kWildcard) ? name.substr(kWildcard.size()) : name);
    std::vector<std::string> seen{start};
    while (true) {
        COMMENTO_ASSIGN(std::string next, alias_of(seen.back(), server, resolvers));
        if (next.empty())
            return seen.back();
        if (std::ranges::find(seen, next) != seen.end())
            return fail(ErrorCode::settings, fmt::format("{}: the aliases lead back to {}", start, next),
                        "a CNAME record in DNS is wrong");
        if (seen.size() > kMostSteps)
            return fail(ErrorCode::settings, fmt::format("{} leads through more than {} aliases", start, kMostSteps),
                        "let the first CNAME name the last target");
        seen.push_back(std::move(next));
    }
}

Result<std::string> zone_of(const std::string& name, const DnsServer& server) {
    for (std::string at = name; at.size() > 1; at = at.substr(at.find('.') + 1)) {
        COMMENTO_ASSIGN(const DnsAnswer answer, server.ask(at, RecordType::soa));
        if (!answer.authoritative || !answer.is_about_name())
            break;
        // A name inside the zone is denied with the zone's SOA (RFC 2308, 2); where that is left out, the name above is
        // asked for.
        if (const auto* soa = soa_in(answer.answers))
            return soa->owner;
        if (const auto* soa = soa_in(answer.authority))
            return soa->owner;
    }
    return fail(ErrorCode::settings, fmt::format("{} has no zone that holds {}", server.place(), name),
                "ACME_DNS_SERVER must be the primary server of that zone, and must answer this host; or delegate the "
                "name by a CNAME into a zone that it has");
}

} // namespace commento
