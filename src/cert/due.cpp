#include "cert/due.hpp"

#include "base/clock.hpp"

#include <fmt/format.h>

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

} // namespace

Wanted wanted_by(const Settings& settings) {
    Wanted wanted{settings.text("DOMAIN"), settings.text("TLS_KEY_TYPE"), {Source::self_signed}};
    if (settings.text("TLS_MODE") == "acme")
        wanted.origin = {Source::acme, settings.acme_directory()};
    return wanted;
}

std::int64_t renewal_time(const Generation& generation) {
    constexpr std::int64_t kShort = std::int64_t{10} * 24 * 3600;
    const std::int64_t lifetime = generation.not_after - generation.not_before;
    return generation.not_after - lifetime / (lifetime < kShort ? 2 : 3);
}

std::string why_due(const std::optional<Generation>& live, const Wanted& wanted, std::int64_t now) {
    if (!live)
        return "there is no certificate";
    if (live->origin != wanted.origin)
        return fmt::format("the certificate in place is {}, the settings ask for one {}", name_of(live->origin),
                           name_of(wanted.origin));
    if (live->names != std::vector{wanted.domain})
        return fmt::format("the certificate in place is for {}, DOMAIN is {}", fmt::join(live->names, ", "),
                           wanted.domain);
    if (live->key_type != wanted.key_type)
        return fmt::format("the certificate's key is {}, TLS_KEY_TYPE is {}", live->key_type, wanted.key_type);
    if (now >= live->not_after)
        return fmt::format("the certificate expired on {}", local_time(live->not_after));
    if (now > renewal_time(*live))
        return fmt::format("the certificate expires on {}", local_time(live->not_after));
    return {};
}

std::string summary(const Generation& generation) {
    return fmt::format("generation {} for {}, {}", generation.name, fmt::join(generation.names, ", "),
                       name_of(generation.origin));
}

} // namespace commento
