#include "notify/tell.hpp"

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/journal.hpp"
#include "base/pace.hpp"
#include "notify/record.hpp"
#include "notify/scrubber.hpp"
#include "notify/ways.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace commento {
namespace {

constexpr const char* kNoWay = "no way to the operator is set";
constexpr const char* kNoWayHint =
    "set COMMENTO_SMTP_HOST, NOTIFY_SMTP_URL or NOTIFY_WEBHOOK (man commento-stack.conf), "
    "or install a mail server; on trial: commentoctl notify test";

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

/// All that telling takes.
struct Desk {
    std::vector<Way> ways;
    Scrubber scrubber;
    std::string site;
};

/// What systemd hands to this unit of the operator's own environment files (LoadCredential=).
std::vector<std::string> further_secrets() {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    if (folder == nullptr)
        return {};
    const auto text = read_file(std::filesystem::path(folder) / "backup-copy.env");
    return text ? std::vector{*text} : std::vector<std::string>();
}

Result<Desk> open_desk(const Paths& paths, RefusedRecipient refused) {
    COMMENTO_ASSIGN(const Examined examined, Settings::examine_files(paths));
    for (const auto& fault : examined.faults) {
        if (fault.key.starts_with("NOTIFY_"))
            spdlog::warn("ignoring {}", to_string(fault));
    }
    const bool named = !usable(examined, "DOMAIN").empty() || !usable(examined, "COMMENTO_ORIGIN").empty();
    return Desk{find_ways(examined, paths, refused), Scrubber(secrets_of(examined.settings, further_secrets())),
                named ? examined.settings.origin() : host_name()};
}

/// The journal gets a line some moments after it was written, and of who wrote it, systemd may know first that it has
/// ended.
LastWords await_last_words(const Ending& ending) {
    using std::chrono::milliseconds;
    Pace pace(milliseconds(20), milliseconds(200), milliseconds(5000));
    const auto look = [&] { return last_words(ending.unit + ".service", ending.invocation); };
    auto words = look();
    while ((!words || !words->is_report) && pace.wait())
        words = look();
    return words.value_or(LastWords{});
}

std::string how_it_ended(const Ending& ending) {
    constexpr int kFirstOfSystemd = 200; // systemd.exec(5), "Process Exit Codes"
    const int status = exit_status(ending);
    if (status >= kFirstOfSystemd)
        return fmt::format("status {}: systemd could not start it as its unit says.", status);
    if (status > 0)
        return fmt::format("exit status {}: {}", status, meaning_of(code_of(status)));
    return fmt::format("{}{}.", ending.result, ending.status.empty() ? "" : fmt::format(" ({})", ending.status));
}

Report report_of(const Ending& ending, const Desk& desk) {
    const LastWords words = await_last_words(ending);
    Report report{.occasion = Occasion::failed,
                  .unit = ending.unit,
                  .host = host_name(),
                  .site = desk.site,
                  .when = now(),
                  .ended = how_it_ended(ending)};
    report.message = presentable(desk.scrubber.clean(words.message));
    report.hint = presentable(desk.scrubber.clean(words.hint));
    report.exit_status = exit_status(ending);
    return report;
}

/// One error of all that went wrong; nothing in it is a secret.
Result<void> verdict(const std::vector<Error>& errors, const Scrubber& scrubber) {
    if (errors.empty())
        return {};
    Error all = errors.front();
    for (std::size_t i = 1; i < errors.size(); ++i)
        all.message += "\n" + errors[i].message;
    return tl::unexpected(scrubber.clean(std::move(all)));
}

/// That the authority must not be asked yet is no failure of its own: it follows from one that was told.
bool is_consequence(const Report& report, const Record& record, const std::string& way) {
    return report.exit_status == static_cast<int>(ErrorCode::later) && was_told(record, way, report.when);
}

Result<void> tell_all(const Desk& desk, const Report& report, const std::string& error, Record& record) {
    std::vector<Error> errors;
    const auto is_new = [&](const std::string& way) {
        return is_due(record, way, error, report.when) && !is_consequence(report, record, way);
    };
    for (const auto& way : desk.ways) {
        if (!is_new(way.name))
            continue;
        if (auto done = way.tell(report)) {
            spdlog::info("{} tells that {}.service failed", way.what, report.unit);
            record.told.push_back({error, way.name, report.when});
        } else {
            errors.push_back(std::move(done).error());
        }
    }
    if (desk.ways.empty() && is_new("")) {
        spdlog::warn("{}.service failed, and {}: {}", report.unit, kNoWay, kNoWayHint);
        record.told.push_back({error, "", report.when});
    }
    return verdict(errors, desk.scrubber);
}

Result<Fd> lock(const Paths& paths) { return lock_file(fleeting_folder(paths) / "lock"); }

} // namespace

Result<void> tell_failure(const Paths& paths, const Ending& ending) {
    if (went_well(ending) || was_stopped(ending))
        return {};
    COMMENTO_ASSIGN(const Desk desk, open_desk(paths, RefusedRecipient::passed_over));
    COMMENTO_ASSIGN(const Fd held, lock(paths));
    Record record = load_record(paths, ending.unit);
    if (record.since == 0)
        record = {now(), 0, {}, record.told};
    if (record.invocation !=
        ending.invocation) { // else this is the same failure, told again for a way that was blocked
        ++record.failures;
        record.invocation = ending.invocation;
    }
    // Before anything is told: who was told of a failure shall be told of its end, whatever happens to this process.
    COMMENTO_CHECK(save_record(paths, ending.unit, record, now()));
    Report report = report_of(ending, desk);
    report.since = record.since;
    report.failures = record.failures;
    auto done = tell_all(desk, report, key_of(ending.result, report.exit_status, report.message), record);
    COMMENTO_CHECK(save_record(paths, ending.unit, record, now()));
    return done;
}

Result<void> tell_recovery(const Paths& paths, const Ending& ending) {
    if (!went_well(ending))
        return {};
    COMMENTO_ASSIGN(const Desk desk, open_desk(paths, RefusedRecipient::passed_over));
    COMMENTO_ASSIGN(const Fd held, lock(paths));
    Record record = load_record(paths, ending.unit);
    const auto to_tell = ways_that_told(record);
    const Report report{.occasion = Occasion::well,
                        .unit = ending.unit,
                        .host = host_name(),
                        .site = desk.site,
                        .when = now(),
                        .ended = "",
                        .since = record.since,
                        .failures = record.failures};
    std::vector<Error> errors;
    for (const auto& way : desk.ways) {
        if (std::ranges::find(to_tell, way.name) == to_tell.end())
            continue;
        if (auto done = way.tell(report))
            spdlog::info("{} tells that {}.service is well again", way.what, ending.unit);
        else
            errors.push_back(std::move(done).error());
    }
    if (errors.empty())
        record = {0, 0, {}, record.told};
    COMMENTO_CHECK(save_record(paths, ending.unit, record, now()));
    return verdict(errors, desk.scrubber);
}

Result<void> tell_test(const Paths& paths) {
    COMMENTO_ASSIGN(const Desk desk, open_desk(paths, RefusedRecipient::an_error));
    if (desk.ways.empty())
        return fail(ErrorCode::settings, kNoWay, kNoWayHint);
    const Report report{
        .occasion = Occasion::test, .unit = "", .host = host_name(), .site = desk.site, .when = now(), .ended = ""};
    std::vector<Error> errors;
    for (const auto& way : desk.ways) {
        if (auto done = way.tell(report))
            spdlog::info("{}: handed over", way.what);
        else
            errors.push_back(std::move(done).error());
    }
    return verdict(errors, desk.scrubber);
}

} // namespace commento
