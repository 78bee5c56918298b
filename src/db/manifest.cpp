#include "db/manifest.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace commento {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

tl::unexpected<Error> unreadable(const std::string& file, const std::string& why) {
    return fail(ErrorCode::backup, fmt::format("{}: its manifest can't be used: {}", file, printable(why)),
                "take another one (commentoctl backup list), or this one's copy elsewhere");
}

std::uint64_t count_in(const Json& json, const char* key) {
    if (!json.at(key).is_number_unsigned())
        throw Json::type_error::create(302, fmt::format("{} is no whole number", key), &json);
    return json.at(key);
}

const Json& list_in(const Json& json, const char* key) {
    if (!json.at(key).is_array())
        throw Json::type_error::create(302, fmt::format("{} is no list", key), &json);
    return json.at(key);
}

Manifest from_json(const Json& json) {
    Manifest manifest{.made = json.at("made"),
                      .reason = json.at("reason"),
                      .domain = json.at("domain"),
                      .postgresql = json.at("versions").at("postgresql"),
                      .application = json.at("versions").at("application"),
                      .stack = json.at("versions").at("commento-stack"),
                      .parts = {},
                      .tables = {}};
    for (const auto& part : list_in(json, "parts"))
        manifest.parts.push_back({part.at("name"), count_in(part, "bytes"), part.at("sha256")});
    for (const auto& table : list_in(json, "tables"))
        manifest.tables.push_back({table.at("name"), count_in(table, "rows"), table.at("checksum")});
    return manifest;
}

} // namespace

std::string to_json(const Manifest& manifest) {
    Json parts = Json::array();
    for (const auto& part : manifest.parts)
        parts.push_back({{"name", part.name}, {"bytes", part.bytes}, {"sha256", part.sha256}});
    Json tables = Json::array();
    for (const auto& table : manifest.tables)
        tables.push_back({{"name", table.name}, {"rows", table.rows}, {"checksum", table.checksum}});
    const Json json{{"format", kFormat},
                    {"made", manifest.made},
                    {"reason", manifest.reason},
                    {"domain", manifest.domain},
                    {"versions",
                     {{"commento-stack", manifest.stack},
                      {"postgresql", manifest.postgresql},
                      {"application", manifest.application}}},
                    {"parts", parts},
                    {"tables", tables}};
    constexpr int kIndent = 2;
    return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Manifest> parse_manifest(std::string_view text, const std::string& file) {
    try {
        const Json json = Json::parse(text);
        if (const int format = json.at("format"); format != kFormat)
            return unreadable(file, fmt::format("it has format {}, and this version reads {}", format, kFormat));
        return from_json(json);
    } catch (const Json::exception& fault) {
        return unreadable(file, fault.what());
    }
}

} // namespace commento
