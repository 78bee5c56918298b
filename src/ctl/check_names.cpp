// DNS: whether the names lead here, and whether CAA records let the authority issue for them.

#include "base/translate.hpp"
#include "config/keys.hpp"
#include "ctl/caa.hpp"
#include "ctl/check.hpp"
#include "ctl/reach.hpp"
#include "net/certificate.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace commento {
namespace {

std::vector<std::string> data_of(const DnsAnswer& answer, RecordType type) {
    std::vector<std::string> data;
    for (const auto& record : answer.answers) {
        if (record.type == type)
            data.push_back(record.data);
    }
    return data;
}

Result<std::vector<std::string>> addresses_of(CheckedHost& host, const std::string& name, RecordType type) {
    COMMENTO_ASSIGN(const DnsAnswer answer, host.ask_dns(name, type));
    return data_of(answer, type);
}

/// Behind a router or a balancer the address is another's, and what answers there tells by its certificate.
bool leads_here(CheckedHost& host, const std::string& address, const std::string& name) {
    if (is_own_address(address))
        return true;
    if (address.starts_with("127.") || address == "::1")
        return false; // for others that is themselves
    constexpr std::chrono::seconds kPatience{3};
    const auto& own = host.facts().certificate;
    const auto served = served_certificate(address, host.settings().number("HTTPS_PORT"), name, kPatience,
                                           preamble_of(host.settings()));
    return own && served && served->fingerprint == own->fingerprint;
}

Remedy set_record(const char* type, const std::string& name) {
    return advise(tr("where {} is administered, have its {} record name an address of this host ({}), or of "
                     "what passes its ports on to it",
                     name, type, fmt::join(own_addresses(type), ", ")));
}

std::vector<std::string> foreign(CheckedHost& host, const std::vector<std::string>& addresses,
                                 const std::string& name) {
    std::vector<std::string> elsewhere;
    std::ranges::copy_if(addresses, std::back_inserter(elsewhere),
                         [&](const std::string& address) { return !leads_here(host, address, name); });
    return elsewhere;
}

/// Behind a router it may lead here all the same: then only the router knows.
Finding leads_elsewhere(const char* type, const std::string& name, const std::vector<std::string>& elsewhere) {
    const bool may_be_passed_on = public_addresses(type).empty() && !own_addresses(type).empty();
    if (may_be_passed_on)
        return warning(tr("{} leads to {}; whether that is passed on to this host can't be told from here", name,
                          fmt::join(elsewhere, ", ")),
                       advise(tr("look at the router: it has to pass the ports of HTTP and HTTPS on")));
    return fault(tr("{} leads to {}, which is not this host", name, fmt::join(elsewhere, ", ")),
                 set_record(type, name));
}

Finding look_at_resolver(CheckedHost& host) {
    const auto answer = host.ask_dns(host.settings().text("DOMAIN"), RecordType::soa);
    return answer
               ? ok(tr("resolvers answer"))
               : fault(answer.error().message, advise(tr("see /etc/resolv.conf, and resolvectl status where it runs")));
}

constexpr const char* kNoAnswer = msgid("the resolvers do not answer");

Finding look_at_ipv4(CheckedHost& host) {
    const std::string& domain = host.settings().text("DOMAIN");
    const auto ipv4 = addresses_of(host, domain, RecordType::a);
    const auto ipv6 = addresses_of(host, domain, RecordType::aaaa);
    if (!ipv4 || !ipv6)
        return skipped(translated(kNoAnswer));
    if (ipv4->empty() && ipv6->empty())
        return fault(tr("{} has no address in DNS", domain), set_record("A", domain));
    if (ipv4->empty())
        return warning(tr("{} has no IPv4 address: readers without IPv6 can't come", domain), set_record("A", domain));
    const auto elsewhere = foreign(host, *ipv4, domain);
    return elsewhere.empty() ? ok(tr("{} leads here: {}", domain, fmt::join(*ipv4, ", ")))
                             : leads_elsewhere("A", domain, elsewhere);
}

/// Authorities and browsers try IPv6 first, so a wrong record hurts most of them.
Finding look_at_ipv6(CheckedHost& host) {
    const std::string& domain = host.settings().text("DOMAIN");
    const auto ipv6 = addresses_of(host, domain, RecordType::aaaa);
    if (!ipv6)
        return skipped(translated(kNoAnswer));
    if (ipv6->empty())
        return public_addresses("AAAA").empty()
                   ? ok(tr("no IPv6, neither in DNS nor here"))
                   : warning(tr("{} has no AAAA record, and this host has IPv6", domain), set_record("AAAA", domain));
    const auto elsewhere = foreign(host, *ipv6, domain);
    return elsewhere.empty() ? ok(tr("{} leads here: {}", domain, fmt::join(*ipv6, ", ")))
                             : leads_elsewhere("AAAA", domain, elsewhere);
}

/// Names beside the first: each has to be proved, too.
Finding look_at_further_names(CheckedHost& host) {
    const auto& settings = host.settings();
    const auto names = settings.certificate_names();
    if (names.size() < 2)
        return skipped(tr("there is no further name"));
    if (settings.text("ACME_CHALLENGE") == "dns-01")
        return skipped(tr("with dns-01 they need not lead here"));
    std::string wrong;
    for (const auto& name : std::span(names).subspan(1)) {
        if (is_ip_address(name) || name.starts_with("*."))
            continue;
        auto addresses = addresses_of(host, name, RecordType::a);
        const auto ipv6 = addresses_of(host, name, RecordType::aaaa);
        if (!addresses || !ipv6)
            return skipped(translated(kNoAnswer));
        addresses->insert(addresses->end(), ipv6->begin(), ipv6->end());
        if (addresses->empty() || !foreign(host, *addresses, name).empty())
            wrong += fmt::format("{}{}", wrong.empty() ? "" : ", ", name);
    }
    return wrong.empty() ? ok(tr("all further names lead here"))
                         : fault(tr("do not lead to this host: {}", wrong), set_record("A", wrong));
}

/// The names by which the authority is called in CAA records, as its directory tells (RFC 8555, 9.7.6).
std::vector<std::string> identities_of(CheckedHost& host) {
    const auto& answer = host.directory();
    const auto directory = answer ? nlohmann::json::parse(answer->body, nullptr, false) : nlohmann::json();
    const nlohmann::json::json_pointer place("/meta/caaIdentities");
    const auto told = directory.is_object() && directory.contains(place) ? directory.at(place) : nlohmann::json();
    std::vector<std::string> identities;
    for (const auto& identity : told.is_array() ? told : nlohmann::json::array()) {
        if (identity.is_string())
            identities.push_back(identity);
    }
    if (identities.empty() && host.settings().text("ACME_DIRECTORY").empty())
        identities.emplace_back("letsencrypt.org");
    return identities;
}

Finding look_at_caa(CheckedHost& host) {
    if (host.settings().text("TLS_MODE") != "acme")
        return skipped(tr("no authority is asked for a certificate"));
    const auto identities = identities_of(host);
    if (identities.empty())
        return skipped(tr("the authority does not say by which name CAA records allow it"));
    for (const auto& name : host.settings().certificate_names()) {
        if (is_ip_address(name))
            continue;
        const auto policy = find_policy(name, [&](const std::string& at) -> Result<std::vector<std::string>> {
            return addresses_of(host, at, RecordType::caa);
        });
        if (!policy)
            return skipped(translated(kNoAnswer));
        const bool wildcard = name.starts_with("*.");
        if (!allows(policy->records, identities, wildcard))
            return fault(tr("the CAA records of {} do not allow {} to issue for {}", policy->owner,
                            fmt::join(identities, tr(" or ")), name),
                         advise(tr("where {} is administered, add the record: {} CAA 0 {} \"{}\"", policy->owner,
                                   policy->owner, wildcard ? "issuewild" : "issue", identities.front())));
    }
    return ok(tr("{} may issue", fmt::join(identities, ", ")));
}

constexpr std::array kChecks{
    Check{"dns.resolver", msgid("Names can be asked for"), look_at_resolver},
    Check{"dns.ipv4", msgid("The name leads here over IPv4"), look_at_ipv4},
    Check{"dns.ipv6", msgid("The name leads here over IPv6"), look_at_ipv6},
    Check{"dns.names", msgid("Further names lead here"), look_at_further_names},
    Check{"dns.caa", msgid("CAA records allow the authority"), look_at_caa},
};

} // namespace

std::span<const Check> name_checks() { return kChecks; }

} // namespace commento
