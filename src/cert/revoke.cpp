#include "cert/revoke.hpp"

#include "cert/authority.hpp"
#include "cert/due.hpp"
#include "cert/renew.hpp"
#include "cert/store.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

Result<Generation> live_of_authority(const Site& site) {
    COMMENTO_ASSIGN(const auto live, repair(site.store));
    if (live && live->facts.origin.source == Source::acme)
        return *live;
    return fail(ErrorCode::settings,
                fmt::format("the certificate {} does not come from an authority that could revoke it", site.name),
                "commentoctl cert list shows where each comes from");
}

Result<void> revoke_live(const Paths& paths, const Site& site, int reason) {
    COMMENTO_ASSIGN(const Generation live, live_of_authority(site));
    COMMENTO_ASSIGN(const Pair pair, read_pair(site.store, live));
    const std::string& directory = live.facts.origin.directory;
    COMMENTO_ASSIGN(AcmeClient client, sign_in(paths, *site.settings, directory));
    COMMENTO_CHECK(client.revoke(pair.chain, reason));
    spdlog::info("{} revoked {}", directory, summary(live));
    return mark_revoked(site.store, live);
}

} // namespace

Result<void> revoke(const Paths& paths, const std::string& name, const std::string& reason) {
    const auto number = revocation_reason(reason);
    if (!number)
        return fail(ErrorCode::settings, fmt::format("\"{}\" is no reason to revoke a certificate", reason),
                    "one of: unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation");
    COMMENTO_ASSIGN(const auto sites, sites_named(paths, {name}));
    {
        COMMENTO_ASSIGN(const Fd lock, lock_runs(paths));
        COMMENTO_CHECK(
            sites.front().site.and_then([&](const Site& site) { return revoke_live(paths, site, *number); }));
    }
    return renew(paths, {name});
}

} // namespace commento
