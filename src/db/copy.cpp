#include "db/copy.hpp"

#include "base/printable.hpp"
#include "base/process.hpp"
#include "config/keys.hpp"
#include "db/shelf.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace commento {
namespace {

constexpr std::chrono::hours kLimit{24}; // what ends a run that hangs is the unit's own limit

std::vector<std::string> arguments_of(const std::string& command, const std::string& file) {
    auto words = words_in(command);
    bool given = false;
    for (auto& word : words) {
        if (const auto at = word.find("{}"); at != std::string::npos) {
            word.replace(at, 2, file);
            given = true;
        }
    }
    if (!given)
        words.push_back(file);
    return words;
}

std::vector<std::string> own_environment() {
    std::vector<std::string> variables;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string variable(*each);
        if (!variable.starts_with("PATH=") && !variable.starts_with("LC_ALL="))
            variables.push_back(variable);
    }
    return variables;
}

} // namespace

Result<void> copy_backup(const Paths& paths, const Settings& settings) {
    const std::string& command = settings.text("BACKUP_COPY_COMMAND");
    if (command.empty())
        return {};
    COMMENTO_ASSIGN(const std::string name, find_backup(paths, "latest"));
    const auto arguments = arguments_of(command, file_of_backup(paths, name));
    COMMENTO_ASSIGN(const Outcome outcome, run_program(arguments, kLimit, own_environment()));
    if (outcome.status != 0)
        return fail(ErrorCode::backup,
                    fmt::format("backup {} was not copied: {} ended with status {}: {}", name, arguments.front(),
                                outcome.status, printable(outcome.output)),
                    "commentoctl backup copy tries again");
    spdlog::info("copied backup {} by {}", name, arguments.front());
    return {};
}

} // namespace commento
