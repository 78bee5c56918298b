#include "ctl/look_ahead.hpp"

#include "base/printable.hpp"
#include "ctl/check.hpp"
#include "ctl/output.hpp"

#include <fmt/format.h>

namespace commento {

Prospect look_ahead(const Paths& paths, const Settings& candidate) {
    CheckedHost host(paths, candidate);
    Prospect prospect{true, ""};
    for (const auto& check : checks_before_start()) {
        const Finding finding = check.look(host);
        if (finding.level == Level::skipped)
            continue;
        const bool good = finding.level == Level::ok;
        // A host that has no resolver yet can be set up all the same.
        const bool hinders = finding.level == Level::fault && check.name != std::string_view("dns.resolver");
        prospect.is_good = prospect.is_good && !hinders;
        prospect.text +=
            fmt::format("{}  {} {}", prospect.text.empty() ? "" : "\n", good ? "+" : "!", harmless(finding.saw));
        if (!good && !finding.remedy.is_empty())
            prospect.text += fmt::format("\n      {}", to_string(finding.remedy));
    }
    return prospect;
}

} // namespace commento
