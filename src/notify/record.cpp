#include "notify/record.hpp"

#include "base/files.hpp"
#include "net/digest.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>
#include <unistd.h>

namespace commento {
namespace {

using Json = nlohmann::ordered_json;

std::filesystem::path file_in(const std::filesystem::path& folder, const std::string& unit) {
    return folder / (unit + ".json");
}

std::filesystem::path mark_in(const std::filesystem::path& folder, const std::string& unit) {
    return folder / (unit + ".failing");
}

Record record_from(const Json& json) {
    Record record{json.at("since"), json.at("failures"), json.at("invocation")};
    for (const auto& told : json.at("told"))
        record.told.push_back({told.at("error"), told.at("way"), told.at("at")});
    return record;
}

Json json_from(const Record& record) {
    Json json{{"since", record.since}, {"failures", record.failures}, {"invocation", record.invocation}};
    json["told"] = Json::array();
    for (const auto& told : record.told)
        json["told"].push_back({{"error", told.error}, {"way", told.way}, {"at", told.at}});
    return json;
}

bool is_recent(const Told& told, std::int64_t now) {
    // A clock that was set back must not keep everything quiet.
    return told.at <= now && now - told.at < kPause;
}

Result<void> drop(const std::filesystem::path& file) {
    if (::unlink(file.c_str()) == 0)
        return sync_folder(file.parent_path());
    return errno == ENOENT ? Result<void>()
                           : fail_errno(ErrorCode::storage, fmt::format("cannot remove {}", file.string()), errno);
}

Result<void> save_in(const std::filesystem::path& folder, const std::string& unit, const Record& record) {
    constexpr mode_t kMode = 0600;
    COMMENTO_CHECK(write_file(file_in(folder, unit), json_from(record).dump(), kMode));
    if (record.since == 0)
        return drop(mark_in(folder, unit));
    return update_file(mark_in(folder, unit), "", kMode).map([](bool) {});
}

/// One that was left in the other place would be read first.
Result<void> drop_fleeting(const Paths& paths, const std::string& unit) {
    COMMENTO_CHECK(drop(mark_in(fleeting_folder(paths), unit)));
    return drop(file_in(fleeting_folder(paths), unit));
}

} // namespace

std::filesystem::path fleeting_folder(const Paths& paths) { return paths.root / "run/commento-notify"; }

Record load_record(const Paths& paths, const std::string& unit) {
    auto text = read_file(file_in(fleeting_folder(paths), unit));
    if (!text)
        text = read_file(file_in(paths.notify(), unit));
    if (!text)
        return {};
    try {
        return record_from(Json::parse(*text));
    } catch (const nlohmann::json::exception&) {
        return {};
    }
}

Result<void> save_record(const Paths& paths, const std::string& unit, Record record, std::int64_t now) {
    std::erase_if(record.told, [&](const Told& told) {
        return !is_recent(told, now) && (record.since == 0 || told.at < record.since);
    });
    if (save_in(paths.notify(), unit, record))
        return drop_fleeting(paths, unit);
    return save_in(fleeting_folder(paths), unit, record);
}

std::string key_of(const std::string& result, int exit_status, const std::string& message) {
    std::string same;
    for (const char c : message) {
        const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
        if (!digit || !same.ends_with('0'))
            same += digit ? '0' : c;
    }
    Sha256 digest;
    digest.add(fmt::format("{} {} {}", result, exit_status, same));
    return digest.finish();
}

bool is_due(const Record& record, const std::string& way, const std::string& error, std::int64_t now) {
    std::set<std::string> errors;
    for (const auto& told : record.told) {
        if (told.way == way && is_recent(told, now))
            errors.insert(told.error);
    }
    return !errors.contains(error) && errors.size() < kMostErrors;
}

bool was_told(const Record& record, const std::string& way, std::int64_t now) {
    return std::ranges::any_of(record.told, [&](const Told& told) { return told.way == way && is_recent(told, now); });
}

std::vector<std::string> ways_that_told(const Record& record) {
    std::set<std::string> ways;
    for (const auto& told : record.told) {
        if (record.since != 0 && told.at >= record.since)
            ways.insert(told.way);
    }
    return {ways.begin(), ways.end()};
}

} // namespace commento
