#include "cert/serving.hpp"

#include "base/pace.hpp"
#include "cert/store.hpp"
#include "config/keys.hpp"
#include "net/certificate.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

constexpr std::chrono::seconds kHandshake{2};
constexpr const char* kWhereToLook = "systemctl status commento-nginx-reload nginx; nginx -t";

/// A name to ask nginx by: one that a browser would use.
std::string asked_name(const Site& site) {
    const auto names = site.settings->certificate_names();
    const auto host =
        std::ranges::find_if(names, [](const auto& name) { return !is_ip_address(name) && !name.starts_with("*."); });
    if (host != names.end())
        return *host;
    return names.front().starts_with("*.") ? "any" + names.front().substr(1) : std::string();
}

Result<Certificate> ask(const Site& site) {
    return served_certificate("127.0.0.1", site.settings->number("HTTPS_PORT"), asked_name(site), kHandshake,
                              preamble_of(*site.settings));
}

/// ErrorCode::web, with what is served instead, where it does not come to that.
Result<void> wait_until_served(const Site& site, const Generation& generation) {
    constexpr Pace::Duration kFirst{20};
    constexpr Pace::Duration kLongest{500};
    constexpr std::chrono::seconds kPatience{15};
    std::string seen;
    for (Pace pace(kFirst, kLongest, kPatience); pace.wait();) {
        const auto served = ask(site);
        if (served && served->fingerprint == generation.fingerprint)
            return {};
        seen = served ? fmt::format("it serves the one of {} with serial {}", served->issuer, served->serial)
                      : served.error().message;
    }
    return fail(ErrorCode::web,
                fmt::format("the new certificate (generation {}) is in place, but nginx does not serve it: {}",
                            generation.name, seen),
                kWhereToLook);
}

Error put_back(const Site& site, const Generation& generation, Error error) {
    const auto former = set_aside(site.store, generation, error.message);
    if (!former)
        return former.error();
    if (!*former)
        return error;
    error.message +=
        fmt::format("\ngeneration {} is set aside, and the former one, {}, put back", generation.name, (*former)->name);
    if (const auto served = wait_until_served(site, **former); !served)
        error.message += "; nginx does not serve that one either";
    return error;
}

} // namespace

Shown look_at_served(const Site& site) {
    const auto served = ask(site);
    if (!served)
        return Shown::nothing;
    const bool ours = std::ranges::any_of(all_generations(site.store), [&](const Generation& generation) {
        return generation.fingerprint == served->fingerprint;
    });
    return ours ? Shown::ours : Shown::other;
}

Result<void> await_served(const Site& site, const Generation& generation, Shown before) {
    if (site.name != kMain && before != Shown::ours) {
        spdlog::info("no server on this host shows it at port {} yet; it is in {}", site.settings->number("HTTPS_PORT"),
                     site.store.live().string());
        return {};
    }
    auto served = wait_until_served(site, generation);
    if (served)
        spdlog::info("nginx serves it");
    if (served || before == Shown::nothing)
        return served;
    return tl::unexpected(put_back(site, generation, std::move(served).error()));
}

} // namespace commento
