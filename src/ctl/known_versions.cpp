#include "ctl/known_versions.hpp"

#include "base/translate.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

namespace commento {
namespace {

constexpr int kMajor = 10000; // of server_version_num

constexpr std::array kPostgresql{
    std::pair{10, "2022-11-10"}, std::pair{11, "2023-11-09"}, std::pair{12, "2024-11-21"},
    std::pair{13, "2025-11-13"}, std::pair{14, "2026-11-12"}, std::pair{15, "2027-11-11"},
    std::pair{16, "2028-11-09"}, std::pair{17, "2029-11-08"}, std::pair{18, "2030-11-14"},
};

} // namespace

std::string version_of_postgresql(int number) { return fmt::format("{}.{}", number / kMajor, number % kMajor); }

std::string support_end_of_postgresql(int number) {
    const auto* const found = std::ranges::find(kPostgresql, number / kMajor, &std::pair<int, const char*>::first);
    if (found != kPostgresql.end())
        return found->second;
    return number / kMajor < kPostgresql.front().first ? kPostgresql.front().second : "";
}

std::string why_outdated(std::string_view release) {
    // Commento itself ended with 1.8.0; Commento++ goes on from there, with the same database.
    if (release.starts_with("commento-v1.") || release.starts_with("commento-1."))
        return tr("the project has ended; Commento++ 1.8.7 takes over its database");
    constexpr std::string_view kSuccessor = "commentoplusplus-";
    constexpr std::string_view kLast = "1.8.7";
    if (release.starts_with(kSuccessor) && release.substr(kSuccessor.size()) < kLast)
        return tr("{} is the last release", kLast);
    return {};
}

} // namespace commento
