#include "base/progress.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <regex>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace commento {
namespace {

constexpr int kWhole = 100;
constexpr int kLogStep = 5;

double in_mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1U << 20U); }

int percentage(std::uint64_t total, std::uint64_t now) {
    return static_cast<int>(static_cast<double>(now) / static_cast<double>(total) * kWhole);
}

/// `now` and `total` in MiB.
std::string bar(int percent, double now, double total) {
    constexpr int kWidth = 20;
    const auto full = static_cast<std::size_t>(percent * kWidth / kWhole);
    return fmt::format("[{}{}] {:3} %  {:.1f} of {:.1f} MiB", std::string(full, '#'), std::string(kWidth - full, '-'),
                       percent, now, total);
}

} // namespace

Progress::Progress(std::string what) : what_(std::move(what)), is_terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
    if (is_terminal_ && shown_ > 0)
        static_cast<void>(std::fputc('\n', stderr));
}

void Progress::show(std::uint64_t total, std::uint64_t now) {
    if (total == 0)
        return;
    const int now_at = percentage(total, now);
    if (now_at < shown_ + (is_terminal_ ? 1 : kLogStep))
        return;
    shown_ = is_terminal_ ? now_at : now_at - now_at % kLogStep;
    if (is_terminal_)
        fmt::print(stderr, "\r{}  {}", what_, progress_bar(total, now));
    else
        spdlog::info("{}: {} % of {:.1f} MiB", what_, shown_, in_mebibytes(total));
}

std::string bar_of_log_line(const std::string& line) {
    static const std::regex kLine(R"((.*): (\d{1,3}) % of (\d{1,9}\.\d) MiB)");
    std::smatch match;
    if (!std::regex_match(line, match, kLine))
        return {};
    const int percent = std::min(std::stoi(match[2]), kWhole);
    const double total = std::stod(match[3]);
    return fmt::format("{}  {}", match[1].str(), bar(percent, total * percent / kWhole, total));
}

std::string progress_bar(std::uint64_t total, std::uint64_t now) {
    return bar(percentage(total, now), in_mebibytes(now), in_mebibytes(total));
}

} // namespace commento
