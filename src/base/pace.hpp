#pragma once
// The one way to wait for another party that sends no event (a CA, nginx after a reload, the application's port):
// attempts at growing intervals, milliseconds at first, until a deadline.

#include <chrono>
#include <optional>

namespace commento {

class Pace {
  public:
    using Duration = std::chrono::milliseconds;

    /// The first interval, the longest one, and the deadline counted from now.
    Pace(Duration first, Duration longest, Duration deadline);

    /// Waits for the next interval, or for `requested` where the other party asked for that long. False, at once, when
    /// the deadline would pass. With `watched` (a pidfd) it ends early, returning false, when that process ends.
    bool wait(std::optional<Duration> requested = std::nullopt, int watched = -1);

  private:
    Duration next_;
    Duration longest_;
    std::chrono::steady_clock::time_point deadline_;
};

} // namespace commento
