#include "cert/generation.hpp"

#include "acme/json.hpp"

namespace commento {

using nlohmann::json;

NLOHMANN_JSON_SERIALIZE_ENUM(Source,
                             {{Source::self_signed, "self-signed"}, {Source::files, "files"}, {Source::acme, "acme"}})

std::string to_info(const Generation& generation) {
    const json info = {{"source", generation.facts.origin.source},
                       {"directory", generation.facts.origin.directory},
                       {"profile", generation.facts.profile},
                       {"renewal_info", generation.facts.renewal_info},
                       {"key_type", generation.key_type},
                       {"issuer", generation.issuer},
                       {"serial", generation.serial},
                       {"names", generation.names},
                       {"not_before", generation.not_before},
                       {"not_after", generation.not_after},
                       {"fingerprint", generation.fingerprint},
                       {"revoked", generation.revoked}};
    return info.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::optional<Generation> from_info(const std::string& name, std::string_view text) {
    const auto info = parse_object(text);
    if (!info)
        return std::nullopt;
    try {
        return Generation{name,
                          {{info->at("source").get<Source>(), info->at("directory").get<std::string>()},
                           text_field(*info, "profile"),
                           text_field(*info, "renewal_info")},
                          info->at("key_type").get<std::string>(),
                          text_field(*info, "issuer"),
                          text_field(*info, "serial"),
                          info->at("names").get<std::vector<std::string>>(),
                          info->at("not_before").get<std::int64_t>(),
                          info->at("not_after").get<std::int64_t>(),
                          info->at("fingerprint").get<std::string>(),
                          info->value("revoked", false)};
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

} // namespace commento
