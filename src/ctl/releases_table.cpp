#include "ctl/releases_table.hpp"

#include "base/printable.hpp"
#include "base/translate.hpp"

#include "ctl/output.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <vector>

namespace commento {
namespace {

using nlohmann::json;

std::string day_of(const json& release) {
    const std::chrono::sys_seconds time{std::chrono::seconds(release.at("installed").get<std::int64_t>())};
    return fmt::format("{:%Y-%m-%d %H:%M}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string size_of(const json& release) {
    constexpr double kMebibyte = 1U << 20U;
    return fmt::format("{:.1f} MiB", release.at("bytes").get<double>() / kMebibyte);
}

std::vector<Cell> row_of(const json& release) {
    constexpr std::size_t kDigits = 12;
    // commento-app's own words.
    [[maybe_unused]] static constexpr std::array kWords{msgid("current"), msgid("previous")};
    const std::string state = release.at("state");
    const std::string source = release.at("source");
    return {{release.at("name")},
            {release.at("version").is_null() ? "-" : release.at("version").get<std::string>()},
            {state == "other" ? "-" : translated(state), state == "current" ? Colour::good : Colour::none},
            {release.at("sha256").get<std::string>().substr(0, kDigits)},
            {day_of(release)},
            {size_of(release)},
            {source.empty() ? "-" : harmless(source)}};
}

} // namespace

std::string releases_table(const json& releases, Look look) {
    auto sorted = releases.get<std::vector<json>>();
    std::ranges::stable_sort(sorted, std::ranges::greater{},
                             [](const json& release) { return release.at("installed").get<std::int64_t>(); });
    std::vector<std::vector<Cell>> rows(sorted.size());
    std::ranges::transform(sorted, rows.begin(), row_of);
    return draw_table(
        {tr("RELEASE"), tr("VERSION"), tr("STATE"), tr("SHA-256"), tr("INSTALLED (UTC)"), tr("SIZE"), tr("SOURCE")},
        rows, look);
}

} // namespace commento
