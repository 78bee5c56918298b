#include "ctl/installed_units.hpp"

#include <algorithm>
#include <filesystem>

namespace commento {

std::vector<std::string> installed_units(const Paths& paths) {
    std::vector<std::string> names;
    std::error_code fault;
    for (const auto& entry : std::filesystem::directory_iterator(paths.units(), fault)) {
        if (entry.is_regular_file())
            names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
}

} // namespace commento
