#include "base/progress.hpp"

#include <cstdio>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace commento {
namespace {

constexpr int kWhole = 100;
constexpr int kLogStep = 10;

double in_mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1U << 20U); }

int percentage(std::uint64_t total, std::uint64_t now) {
    return static_cast<int>(static_cast<double>(now) / static_cast<double>(total) * kWhole);
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

std::string progress_bar(std::uint64_t total, std::uint64_t now) {
    constexpr int kWidth = 20;
    const int percent = percentage(total, now);
    const auto full = static_cast<std::size_t>(percent * kWidth / kWhole);
    return fmt::format("[{}{}] {:3} %  {:.1f} of {:.1f} MiB", std::string(full, '#'), std::string(kWidth - full, '-'),
                       percent, in_mebibytes(now), in_mebibytes(total));
}

} // namespace commento
