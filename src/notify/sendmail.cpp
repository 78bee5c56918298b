#include "base/acting_as.hpp"
#include "base/files.hpp"
#include "base/printable.hpp"
#include "base/process.hpp"
#include "notify/tell.hpp"
#include "notify/ways.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <utility>

namespace commento {
namespace {

constexpr const char* kOwner = "commento-notify";

/// As the user whose folder it is: a link there, to a file that this user may not read, leads nowhere.
Result<std::string> take_letter(const std::filesystem::path& file) {
    COMMENTO_ASSIGN(const ActingAs owner, ActingAs::user(kOwner));
    return read_file(file);
}

Result<void> drop_letter(const std::filesystem::path& file) {
    COMMENTO_ASSIGN(const ActingAs owner, ActingAs::user(kOwner));
    if (::unlink(file.c_str()) != 0)
        return fail_errno(ErrorCode::storage, fmt::format("cannot remove {}", file.string()), errno);
    return sync_folder(file.parent_path());
}

/// -oi: a line with nothing but a dot does not end it. The recipients are the settings', whatever the letter says.
std::vector<std::string> command_of(const MailPlan& plan, const Paths& paths) {
    std::vector<std::string> command{paths.sendmail().string(), "-oi", "-f", plan.sender, "--"};
    command.insert(command.end(), plan.recipients.begin(), plan.recipients.end());
    return command;
}

} // namespace

Result<void> hand_to_sendmail(const Paths& paths, const std::string& unit) {
    constexpr std::chrono::seconds kLimit{60};
    const std::filesystem::path file = paths.notify_outbox() / (unit + ".eml");
    COMMENTO_ASSIGN(const Examined examined, Settings::examine_files(paths));
    const MailPlan plan = plan_mail(examined, paths);
    if (plan.way != MailWay::sendmail)
        return fail(
            ErrorCode::settings, fmt::format("{} is there, and mail does not go by sendmail", file.string()),
            fmt::format("the settings were changed, or {} is gone; remove the file", paths.sendmail().string()));
    COMMENTO_ASSIGN(const std::string letter, take_letter(file));
    bool given = false;
    const Streams streams{.next_input = [&]() -> Result<std::string_view> {
        return std::exchange(given, true) ? std::string_view() : std::string_view(letter);
    }};
    COMMENTO_ASSIGN(const Outcome outcome, pipe_program(command_of(plan, paths), streams, kLimit));
    if (outcome.status != 0)
        return fail(ErrorCode::network,
                    fmt::format("{} did not take the mail, status {}: {}", paths.sendmail().string(), outcome.status,
                                presentable(outcome.errors)),
                    "see the mail server's own log");
    spdlog::info("{} has taken the mail to {}", paths.sendmail().string(), fmt::join(plan.recipients, ", "));
    return drop_letter(file);
}

} // namespace commento
