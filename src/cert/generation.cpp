#include "cert/generation.hpp"

#include "acme/json.hpp"

namespace commento {

using nlohmann::json;

NLOHMANN_JSON_SERIALIZE_ENUM(Source,
                             {{Source::self_signed, "self-signed"}, {Source::files, "files"}, {Source::acme, "acme"}})

std::string to_info(const Generation& generation) {
    const json info = {{"source", generation.origin.source},   {"directory", generation.origin.directory},
                       {"key_type", generation.key_type},      {"names", generation.names},
                       {"not_before", generation.not_before},  {"not_after", generation.not_after},
                       {"fingerprint", generation.fingerprint}};
    return info.dump(2) + "\n";
}

std::optional<Generation> from_info(const std::string& name, std::string_view text) {
    const auto info = parse_object(text);
    if (!info)
        return std::nullopt;
    try {
        return Generation{name,
                          {info->at("source").get<Source>(), info->at("directory").get<std::string>()},
                          info->at("key_type").get<std::string>(),
                          info->at("names").get<std::vector<std::string>>(),
                          info->at("not_before").get<std::int64_t>(),
                          info->at("not_after").get<std::int64_t>(),
                          info->at("fingerprint").get<std::string>()};
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

} // namespace commento
