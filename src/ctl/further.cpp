#include "ctl/further.hpp"

#include "base/files.hpp"
#include "base/printable.hpp"
#include "base/translate.hpp"
#include "config/env_file.hpp"
#include "config/keys.hpp"
#include "config/settings.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <set>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWildcard = "*.";

fs::path file_of(const std::string& name, const Paths& paths) { return paths.certificates() / (name + ".conf"); }

bool is_host_name(const std::string& name) { return !name.starts_with(kWildcard) && !is_ip_address(name); }

std::string problem_with_name(const std::string& name) {
    if (is_ip_address(name))
        return {};
    const std::string host = name.starts_with(kWildcard) ? name.substr(kWildcard.size()) : name;
    return host.empty() ? tr("is no name") : problem_with(*find_key("DOMAIN"), host);
}

std::string problem_with_wish(const Wish& wish) {
    if (wish.key == "DOMAIN" || wish.key == "TLS_NAMES")
        return tr("is not for --set: give the names themselves");
    if (find_key(wish.key) != nullptr && !is_for_one_certificate(wish.key))
        return tr("is no key of a single certificate");
    return problem_with_assignment(wish.key, wish.value);
}

std::vector<Fault> faults_of(const std::vector<std::string>& names, const std::vector<Wish>& wishes) {
    std::vector<Fault> faults;
    for (const auto& name : names) {
        if (auto problem = problem_with_name(name); !problem.empty())
            faults.push_back({"NAME", 0, {}, fmt::format("\"{}\" {}", harmless(name), problem)});
    }
    std::set<std::string> seen;
    for (const auto& wish : wishes) {
        if (auto problem = problem_with_wish(wish); !problem.empty())
            faults.push_back({wish.origin, 0, wish.key, std::move(problem)});
        else if (!seen.insert(wish.key).second)
            faults.push_back({wish.origin, 0, wish.key, tr("is given twice; keep one of the two")});
    }
    return faults;
}

/// As a file can be named, and as a word of a command line that is no option: `::1` is `0::1`, too.
std::string certificate_name(const std::string& first) {
    std::string name = first;
    if (name.starts_with(kWildcard))
        name.front() = '_';
    if (name.starts_with(':'))
        name.insert(0, 1, '0');
    std::ranges::replace(name, ':', '-');
    return name;
}

/// DOMAIN has to be a host name; certificates without one have all their names in TLS_NAMES.
std::string text_of(std::vector<std::string> names, const std::vector<Wish>& wishes) {
    std::string text;
    if (const auto domain = std::ranges::find_if(names, is_host_name); domain != names.end()) {
        text += format_assignment("DOMAIN", *domain) + "\n";
        names.erase(domain);
    }
    if (!names.empty())
        text += format_assignment("TLS_NAMES", fmt::format("{}", fmt::join(names, " "))) + "\n";
    for (const auto& wish : wishes)
        text += format_assignment(wish.key, wish.value) + "\n";
    return text;
}

std::vector<std::string> canonical(const std::vector<std::string>& names) {
    std::vector<std::string> each_once;
    for (const auto& name : names) {
        std::string form = canonical_name(name);
        if (std::ranges::find(each_once, form) == each_once.end())
            each_once.push_back(std::move(form));
    }
    return each_once;
}

/// Whether it names a file in the folder, and not one elsewhere.
bool is_file_name(const std::string& name) {
    return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
}

} // namespace

Result<FurtherFile> plan_further(const std::vector<std::string>& names, const std::vector<Wish>& wishes,
                                 const Paths& paths) {
    constexpr const char* kHint =
        msgid("nothing is written; give the right names, and the right values by --set KEY=VALUE");
    constexpr std::size_t kLongest = 200; // commento-cert takes no longer ones for a file
    if (const auto faults = faults_of(names, wishes); !faults.empty())
        return tl::unexpected(to_error(faults, translated(kHint)));
    const auto forms = canonical(names);
    FurtherFile file{certificate_name(forms.front()), {}, text_of(forms, wishes)};
    if (file.name.size() > kLongest)
        return fail(ErrorCode::settings, tr("{} is too long to name a file", file.name),
                    tr("give a shorter name first"));
    file.path = file_of(file.name, paths);
    COMMENTO_ASSIGN(Settings common, Settings::load(paths));
    const auto checked =
        Settings::read_further(file.text, file.path, std::make_shared<const Settings>(std::move(common)));
    if (!checked)
        return fail(checked.error().code, checked.error().message, translated(kHint));
    return file;
}

Result<bool> write_further(const FurtherFile& file) {
    constexpr mode_t kFolder = 0755;
    constexpr mode_t kFile = 0644;
    if (fs::exists(file.path)) {
        COMMENTO_ASSIGN(const std::string present, read_file(file.path));
        if (present == file.text)
            return false;
        return fail(ErrorCode::settings, tr("{} is there already, and asks for something else", file.path.string()),
                    tr("edit it, then: commentoctl cert renew {}", file.name));
    }
    COMMENTO_CHECK(make_folder(file.path.parent_path(), kFolder));
    COMMENTO_CHECK(write_file(file.path, file.text, kFile));
    return true;
}

Result<bool> remove_further(const std::string& name, const Paths& paths) {
    const fs::path file = file_of(name, paths);
    const bool stored = is_file_name(name) && fs::exists(paths.tls_further() / name);
    if (!is_file_name(name) || (!stored && !fs::exists(file)))
        return fail(ErrorCode::settings, tr("there is no further certificate {}", name),
                    tr("commentoctl cert list names them"));
    std::error_code fault;
    if (fs::remove(file, fault))
        COMMENTO_CHECK(sync_folder(file.parent_path()));
    if (fault)
        return fail(ErrorCode::storage, tr("cannot remove {}: {}", file.string(), fault.message()));
    return stored;
}

} // namespace commento
