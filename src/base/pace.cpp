#include "base/pace.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>

namespace commento {

using Clock = std::chrono::steady_clock;

Pace::Pace(Duration first, Duration longest, Duration deadline)
    : next_(first), longest_(longest), deadline_(Clock::now() + deadline) {}

bool Pace::wait(std::optional<Duration> requested, int watched) {
    const auto until = Clock::now() + requested.value_or(next_);
    next_ = std::min(next_ * 2, longest_);
    if (until > deadline_)
        return false;
    while (true) {
        const auto left = std::chrono::ceil<Duration>(until - Clock::now());
        if (left.count() <= 0)
            return true;
        pollfd process{watched, POLLIN, 0};
        const int ready = ::poll(&process, watched >= 0 ? 1 : 0, static_cast<int>(left.count()));
        if (ready > 0)
            return false;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

} // namespace commento
