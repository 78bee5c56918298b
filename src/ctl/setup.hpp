#pragma once
// `commentoctl setup`: from wishes to settings files. Nothing is written while anything is wrong.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"
#include "ctl/settings_files.hpp"

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace commento {

/// A key that is to have a value; an empty value stands for the default.
struct Wish {
    std::string origin; ///< for messages: where it was said, such as --domain
    std::string key;
    std::string value;
};

/// The wish in `KEY=value` as --set takes it. ErrorCode::settings where it has no such form.
Result<Wish> parse_wish(const std::string& assignment);

struct Plan {
    SettingsFiles files;              ///< as they are to be
    std::vector<std::string> changes; ///< a line for each value that becomes another; secrets are not shown
};

/// What the wishes make of the files. ErrorCode::settings with every fault, of the wishes and of what the files hold
/// besides.
Result<Plan> plan_setup(const SettingsFiles& present, const std::vector<Wish>& wishes, const Paths& paths);

/// Writes what differs from what is there; `secrets_group` may read the secrets. True when it wrote.
Result<bool> write_plan(const Plan& plan, gid_t secrets_group, const Paths& paths);

/// Looks at an answer that is right by itself, and may ask about it. False: the question is put again.
using Inspect = std::function<Result<bool>(const Wish& answer)>;

/// Asks for the mandatory keys, with the present values as proposals; asks again until an answer is right.
/// ErrorCode::settings when the input ends before.
Result<std::vector<Wish>> ask_wishes(const Settings& present, const Inspect& inspect, std::istream& input,
                                     std::ostream& output);

/// Asks a question that is answered by yes, as Enter means too, or no.
Result<bool> ask_consent(const std::string& question, std::istream& input, std::ostream& output);

/// The same on the terminal, where --yes was not given. ErrorCode::settings where there is no terminal.
Result<bool> wants_to(bool said_yes, const std::string& question);

} // namespace commento
