#include "ctl/journal.hpp"

#include "base/process.hpp"
#include "base/progress.hpp"
#include "ctl/output.hpp"

#include <chrono>
#include <deque>
#include <fmt/format.h>
#include <string_view>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>
#include <utility>

namespace commento {
namespace {

constexpr int kSearched = 200; // entries of a run, from its last one

/// A field of the current entry; empty when it lacks it.
std::string field(sd_journal* journal, const std::string& name) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (sd_journal_get_data(journal, name.c_str(), &data, &size) < 0)
        return {};
    return std::string(static_cast<const char*>(data), size).substr(name.size() + 1);
}

std::string message_of(sd_journal* journal) { return harmless(field(journal, "MESSAGE")); }

/// A line of what report() of base/log.hpp wrote.
bool is_report(sd_journal* journal) { return field(journal, "PRIORITY") == std::to_string(LOG_ERR); }

JournalHandle open_journal() {
    sd_journal* journal = nullptr;
    return JournalHandle(sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0 ? nullptr : journal);
}

void match(sd_journal* journal, const std::string& assignment) { sd_journal_add_match(journal, assignment.c_str(), 0); }

} // namespace

void CloseJournal::operator()(sd_journal* journal) const { sd_journal_close(journal); }

LastWords split_report(const std::string& text) {
    const std::string_view mark = "\nhint: ";
    const auto at = text.find(mark);
    return at == std::string::npos ? LastWords{text, ""} : LastWords{text.substr(0, at), text.substr(at + mark.size())};
}

std::optional<LastWords> last_words(const std::string& invocation) {
    const JournalHandle owned = open_journal();
    if (!owned || invocation.empty())
        return std::nullopt;
    sd_journal* journal = owned.get();
    match(journal, "_SYSTEMD_INVOCATION_ID=" + invocation);
    sd_journal_seek_tail(journal);
    std::string last;
    std::deque<std::string> report;
    for (int i = 0; i < kSearched && sd_journal_previous(journal) > 0; ++i) {
        if (last.empty())
            last = message_of(journal);
        if (is_report(journal))
            report.push_front(message_of(journal));
        else if (!report.empty())
            break;
    }
    if (!report.empty())
        return split_report(fmt::format("{}", fmt::join(report, "\n")));
    return last.empty() ? std::nullopt : std::optional(LastWords{last, ""});
}

Result<Follower> Follower::begin(const std::vector<std::string>& units) {
    JournalHandle owned = open_journal();
    if (!owned || sd_journal_get_fd(owned.get()) < 0)
        return fail(ErrorCode::internal, "cannot read the journal", "is systemd-journald.service active?");
    for (const auto& unit : units)
        match(owned.get(), "_SYSTEMD_UNIT=" + unit);
    // Not the tail: where nothing matches yet, no step leads on from there.
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    sd_journal_seek_realtime_usec(
        owned.get(), static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
    return Follower(std::move(owned));
}

int Follower::fd() const { return sd_journal_get_fd(journal_.get()); }

void Follower::show_new() {
    sd_journal* journal = journal_.get();
    sd_journal_process(journal);
    while (sd_journal_next(journal) > 0) {
        if (is_report(journal))
            report_ += (report_.empty() ? "" : "\n") + message_of(journal);
        else
            show(message_of(journal));
    }
}

void Follower::show(const std::string& line) {
    const std::string bar = ::isatty(STDOUT_FILENO) == 1 ? bar_of_log_line(line) : "";
    if (is_at_bar_ && bar.empty())
        say("");
    is_at_bar_ = !bar.empty();
    if (bar.empty())
        say(line);
    else
        draw(bar);
}

void Follower::show_rest() {
    constexpr std::chrono::seconds kLimit{10};
    // A journal that does not answer costs lines here, nothing else.
    (void)run_program({"journalctl", "--sync"}, kLimit);
    show_new();
    if (std::exchange(is_at_bar_, false))
        say("");
}

std::optional<LastWords> Follower::error() const {
    return report_.empty() ? std::nullopt : std::optional(split_report(report_));
}

} // namespace commento
