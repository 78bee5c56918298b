#include "cert/due.hpp"

#include "base/clock.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace commento {
namespace {

std::string name_of(const Origin& origin) {
    switch (origin.source) {
    case Source::self_signed:
        return "self-signed";
    case Source::files:
        return "from the operator's files";
    case Source::acme:
        break;
    }
    return "from " + origin.directory;
}

bool comes_from(const Origin& origin, const Wanted& wanted) {
    return origin.source == wanted.source &&
           (origin.source != Source::acme ||
            std::ranges::find(wanted.directories, origin.directory) != wanted.directories.end());
}

std::vector<std::string> sorted(std::vector<std::string> names) {
    std::ranges::sort(names);
    return names;
}

/// From 0 to 1, other for each certificate and always the same for one.
double share_of(const Generation& generation) {
    constexpr std::size_t kDigits = 8;
    std::uint32_t number = 0;
    const std::string digits = generation.fingerprint.substr(0, kDigits);
    std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
    return static_cast<double>(number) / static_cast<double>(UINT32_MAX);
}

std::int64_t renewal_time_by_age(const Generation& generation) {
    constexpr std::int64_t kShort = std::int64_t{10} * 24 * 3600;
    const std::int64_t lifetime = generation.not_after - generation.not_before;
    const std::int64_t rest = lifetime / (lifetime < kShort ? 2 : 3);
    return generation.not_after - rest +
           static_cast<std::int64_t>(share_of(generation) * static_cast<double>(rest) / 10);
}

std::string why_not_wanted(const Generation& live, const Wanted& wanted) {
    const Origin& origin = live.facts.origin;
    if (!comes_from(origin, wanted))
        return fmt::format("the certificate in place is {}, the settings ask for one {}", name_of(origin),
                           name_of({wanted.source, wanted.directories.empty() ? "" : wanted.directories.front()}));
    if (sorted(live.names) != sorted(wanted.names))
        return fmt::format("the certificate in place is for {}, the settings ask for {}", fmt::join(live.names, ", "),
                           fmt::join(wanted.names, ", "));
    if (live.key_type != wanted.key_type)
        return fmt::format("the certificate's key is {}, TLS_KEY_TYPE is {}", live.key_type, wanted.key_type);
    // The authority that is fallen back to has profiles of its own, or none.
    if (origin.source == Source::acme && origin.directory == wanted.directories.front() &&
        live.facts.profile != wanted.profile)
        return fmt::format(R"(the certificate's profile is "{}", ACME_PROFILE is "{}")", live.facts.profile,
                           wanted.profile);
    if (live.revoked)
        return "the certificate was revoked";
    return {};
}

} // namespace

Wanted wanted_by(const Site& site) {
    const Settings& settings = *site.settings;
    Wanted wanted{settings.certificate_names(), settings.text("TLS_KEY_TYPE"), {}, Source::self_signed, {}};
    if (site.name == kMain && settings.text("TLS_MODE") != "acme")
        return wanted;
    wanted.source = Source::acme;
    wanted.profile = settings.text("ACME_PROFILE");
    wanted.directories.push_back(settings.acme_directory());
    if (const std::string& other = settings.text("ACME_FALLBACK_DIRECTORY"); !other.empty())
        wanted.directories.push_back(other);
    return wanted;
}

std::int64_t renewal_time(const Generation& generation, const std::optional<Advice>& advice) {
    if (!advice || advice->start == 0)
        return renewal_time_by_age(generation);
    const std::int64_t lifetime = generation.not_after - generation.not_before;
    return std::min(advice->chosen, generation.not_after - lifetime / 10);
}

std::string why_due(const std::optional<Generation>& live, const Wanted& wanted, const std::optional<Advice>& advice,
                    std::int64_t now) {
    if (!live)
        return "there is no certificate";
    if (auto reason = why_not_wanted(*live, wanted); !reason.empty())
        return reason;
    if (now >= live->not_after)
        return fmt::format("the certificate expired on {}", local_time(live->not_after));
    if (now < renewal_time(*live, advice))
        return {};
    if (advice && advice->start != 0)
        return fmt::format("the authority advises to renew between {} and {}{}{}", local_time(advice->start),
                           local_time(advice->end), advice->explanation.empty() ? "" : ": ", advice->explanation);
    return fmt::format("the certificate expires on {}", local_time(live->not_after));
}

std::string summary(const Generation& generation) {
    return fmt::format("generation {} for {}, {}", generation.name, fmt::join(generation.names, ", "),
                       name_of(generation.facts.origin));
}

} // namespace commento
