#include "db/retention.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/chrono.h>
#include <set>

namespace commento {
namespace {

constexpr const char* kForm = "%Y-%m-%dT%H%M%SZ";
constexpr std::int64_t kDay = 86400;

/// Marks the last backup of each period, of as many periods as are kept.
class Marks {
  public:
    explicit Marks(int periods) : left_(periods) {}

    /// For names from the newest on.
    bool keeps(const std::string& period) {
        if (period == last_ || left_ == 0)
            return false;
        last_ = period;
        --left_;
        return true;
    }

  private:
    int left_;
    std::string last_;
};

} // namespace

std::string backup_name(std::int64_t seconds) {
    return fmt::format(fmt::runtime(fmt::format("{{:{}}}", kForm)), fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::int64_t time_of_backup(const std::string& name) {
    std::tm parts{};
    const char* end = ::strptime(name.c_str(), kForm, &parts);
    if (end == nullptr || *end != '\0')
        return -1;
    const std::int64_t seconds = ::timegm(&parts);
    return backup_name(seconds) == name ? seconds : -1; // strptime() takes days that are none, and fewer digits
}

std::vector<std::string> superfluous(const std::vector<std::string>& names, const Retention& keep, std::int64_t now) {
    Marks days(keep.daily);
    Marks weeks(keep.weekly);
    Marks months(keep.monthly);
    auto newest_first = names;
    std::ranges::reverse(newest_first);
    std::vector<std::string> gone;
    for (const auto& name : newest_first) {
        const std::int64_t made = time_of_backup(name);
        const auto moment = fmt::gmtime(static_cast<std::time_t>(made));
        const std::array kept{days.keeps(fmt::format("{:%F}", moment)), weeks.keeps(fmt::format("{:%G-%V}", moment)),
                              months.keeps(fmt::format("{:%Y-%m}", moment)), made > now - kDay, name == names.back()};
        if (std::ranges::find(kept, true) == kept.end())
            gone.push_back(name);
    }
    return gone;
}

} // namespace commento
