#include "ctl/backups_table.hpp"

#include "base/translate.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace commento {
namespace {

using nlohmann::json;

std::string size_of(const json& backup) {
    constexpr double kMebibyte = 1U << 20U;
    return fmt::format("{:.1f} MiB", backup.at("bytes").get<double>() / kMebibyte);
}

std::string comments_in(const json& backup) {
    for (const auto& table : backup.at("tables")) {
        if (table.at("name") == "comments")
            return fmt::format("{}", table.at("rows").get<std::uint64_t>());
    }
    return "-";
}

std::vector<Cell> damaged_row(const json& backup) {
    return {{backup.at("name")},
            {size_of(backup)},
            {tr("damaged"), Colour::bad},
            {"-"},
            {"-"},
            {backup.at("fault").get<std::string>()}};
}

std::vector<Cell> row_of(const json& backup) {
    if (!backup.at("fault").is_null())
        return damaged_row(backup);
    const bool verified = !backup.at("verified").is_null();
    const std::string release = backup.at("versions").at("application");
    return {{backup.at("name")},
            {size_of(backup)},
            {verified ? tr("verified") : tr("made"), verified ? Colour::good : Colour::none},
            {comments_in(backup)},
            {release.empty() ? "-" : release},
            {backup.at("reason").get<std::string>()}};
}

} // namespace

std::string backups_table(const json& backups, Look look) {
    std::vector<std::vector<Cell>> rows;
    for (const auto& backup : backups)
        rows.push_back(row_of(backup));
    std::ranges::reverse(rows);
    return draw_table({tr("BACKUP"), tr("SIZE"), tr("STATE"), tr("COMMENTS"), tr("RELEASE"), tr("DETAIL")}, rows, look);
}

} // namespace commento
