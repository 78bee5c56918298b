#pragma once
#include <cstdint>
#include <string>

namespace commento {

/// Shows how far something is that takes its time: a bar on a terminal, else a log line every 5 %.
class Progress {
  public:
    /// `what` stands before the bar and in the log lines.
    explicit Progress(std::string what);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress(); ///< ends the bar's line

    /// In bytes. Nothing is shown where the total is not known (0).
    void show(std::uint64_t total, std::uint64_t now);

  private:
    std::string what_;
    bool is_terminal_;
    int shown_ = 0; ///< per cent
};

/// Of such a log line, `what` and the bar that a terminal would have shown; empty where the line is no such one.
std::string bar_of_log_line(const std::string& line);

/// `[#####---------------]  25 %  3.1 of 12.4 MiB`
std::string progress_bar(std::uint64_t total, std::uint64_t now);

} // namespace commento
