#include "ctl/journal.hpp"

#include "base/progress.hpp"
#include "base/translate.hpp"
#include "ctl/output.hpp"

#include <chrono>
#include <systemd/sd-journal.h>
#include <unistd.h>
#include <utility>

namespace commento {

Result<Follower> Follower::begin(const std::vector<std::string>& units) {
    JournalHandle owned = open_journal();
    if (!owned || sd_journal_get_fd(owned.get()) < 0)
        return fail(ErrorCode::internal, tr("cannot read the journal"), tr("is systemd-journald.service active?"));
    for (const auto& unit : units)
        match_entries(owned.get(), "_SYSTEMD_UNIT=" + unit);
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
        if (is_report_entry(journal))
            report_ += (report_.empty() ? "" : "\n") + message_of_entry(journal);
        else
            show(message_of_entry(journal));
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
    sync_journal();
    show_new();
    if (std::exchange(is_at_bar_, false))
        say("");
}

std::optional<LastWords> Follower::error() const {
    return report_.empty() ? std::nullopt : std::optional(split_report(report_));
}

} // namespace commento
