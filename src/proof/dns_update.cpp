#include "proof/dns_update.hpp"

#include "base/pace.hpp"
#include "proof/dns_name.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

enum class Sight { shown, missing, no_answer };

Sight look(const DnsServer& server, const std::string& owner, const std::vector<std::string>& texts) {
    const auto answer = server.ask(owner, RecordType::txt);
    if (!answer || !answer->authoritative || !answer->is_about_name())
        return Sight::no_answer;
    const bool all = std::ranges::all_of(texts, [&](const std::string& text) {
        return std::ranges::any_of(answer->answers, [&](const DnsRecord& record) {
            return record.type == RecordType::txt && record.owner == owner && record.data == text;
        });
    });
    return all ? Sight::shown : Sight::missing;
}

/// The name servers of a zone, as the one that has it lists them.
std::vector<DnsServer> public_servers(const DnsServer& primary, const std::string& zone) {
    std::vector<DnsServer> servers;
    const auto listed = primary.ask(zone, RecordType::ns);
    for (const auto& record : listed ? listed->answers : std::vector<DnsRecord>()) {
        if (record.type != RecordType::ns)
            continue;
        // Without the dot at its end, with which /etc/hosts would be passed over.
        if (auto server = DnsServer::find(record.data.substr(0, record.data.size() - 1)))
            servers.push_back(std::move(*server));
        else
            spdlog::info("{}; it is not waited for", server.error().message);
    }
    return servers;
}

std::map<std::string, std::vector<std::string>> texts_by_owner(const std::vector<DnsChange>& changes) {
    std::map<std::string, std::vector<std::string>> texts;
    for (const auto& change : changes)
        texts[change.owner].push_back(change.text);
    return texts;
}

} // namespace

Result<void> await_shown(std::vector<DnsServer> servers, const std::string& owner,
                         const std::vector<std::string>& texts) {
    constexpr Pace::Duration kFirst{5};
    constexpr Pace::Duration kLongest{1000};
    constexpr std::chrono::seconds kPatience{60};
    Pace pace(kFirst, kLongest, kPatience);
    while (true) {
        std::erase_if(servers, [&](const DnsServer& server) { return look(server, owner, texts) != Sight::missing; });
        if (servers.empty())
            return {};
        if (!pace.wait())
            return fail(ErrorCode::network,
                        fmt::format("the name server {} does not show the new record at {} after {} s",
                                    servers.front().place(), owner, kPatience.count()),
                        "the authority would not see it either: does that server get the zone from the primary one?");
    }
}

Result<void> DnsUpdate::connect() {
    if (server_)
        return {};
    COMMENTO_ASSIGN(TsigKey key, read_tsig_key(key_file_));
    COMMENTO_ASSIGN(DnsServer server, DnsServer::find(place_, std::move(key)));
    server_.emplace(std::move(server));
    return {};
}

Result<DnsUpdate::Spot> DnsUpdate::spot_of(const std::string& name) {
    if (const auto known = spots_.find(name); known != spots_.end())
        return known->second;
    COMMENTO_ASSIGN(std::string owner, record_name(name, *server_, resolvers_));
    COMMENTO_ASSIGN(std::string zone, zone_of(owner, *server_));
    return spots_.emplace(name, Spot{std::move(owner), std::move(zone)}).first->second;
}

Result<void> DnsUpdate::check(const std::vector<std::string>& names) {
    COMMENTO_CHECK(connect());
    for (const auto& name : names)
        COMMENTO_CHECK(spot_of(name));
    return {};
}

Result<void> DnsUpdate::show(std::span<const Challenge> challenges) {
    COMMENTO_CHECK(connect());
    std::map<std::string, std::vector<DnsChange>> changes;
    for (const auto& challenge : challenges) {
        COMMENTO_ASSIGN(const Spot spot, spot_of(challenge.name));
        changes[spot.zone].push_back({DnsChange::Kind::add, spot.owner, record_of(challenge)});
    }
    for (const auto& [zone, additions] : changes) {
        const auto done = server_->update(zone, additions);
        // Where only the answer was lost, they may be there.
        if (done || done.error().code == ErrorCode::network)
            added_[zone].insert(added_[zone].end(), additions.begin(), additions.end());
        if (!done)
            return tl::unexpected(done.error());
    }
    for (const auto& [zone, additions] : changes)
        COMMENTO_CHECK(await(zone, additions));
    return {};
}

Result<void> DnsUpdate::await(const std::string& zone, const std::vector<DnsChange>& added) const {
    auto servers = public_servers(*server_, zone);
    servers.push_back(*server_);
    for (const auto& [owner, texts] : texts_by_owner(added))
        COMMENTO_CHECK(await_shown(servers, owner, texts));
    return {};
}

DnsUpdate::~DnsUpdate() {
    for (auto& [zone, changes] : added_) {
        for (auto& change : changes)
            change.kind = DnsChange::Kind::remove;
        if (const auto done = server_->update(zone, changes); !done)
            spdlog::warn("{}; its record is left there", done.error().message);
    }
}

} // namespace commento
