#include "base/journal.hpp"

#include "base/printable.hpp"

#include <deque>
#include <fmt/format.h>
#include <string_view>
#include <syslog.h>
#include <systemd/sd-journal.h>

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

} // namespace

void CloseJournal::operator()(sd_journal* journal) const { sd_journal_close(journal); }

JournalHandle open_journal() {
    sd_journal* journal = nullptr;
    return JournalHandle(sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0 ? nullptr : journal);
}

void match_entries(sd_journal* journal, const std::string& assignment) {
    sd_journal_add_match(journal, assignment.c_str(), 0);
}

std::string message_of_entry(sd_journal* journal) { return harmless(field(journal, "MESSAGE")); }

bool is_report_entry(sd_journal* journal) { return field(journal, "PRIORITY") == std::to_string(LOG_ERR); }

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
    match_entries(journal, "_SYSTEMD_INVOCATION_ID=" + invocation);
    sd_journal_seek_tail(journal);
    std::string last;
    std::deque<std::string> report;
    for (int i = 0; i < kSearched && sd_journal_previous(journal) > 0; ++i) {
        if (last.empty())
            last = message_of_entry(journal);
        if (is_report_entry(journal))
            report.push_front(message_of_entry(journal));
        else if (!report.empty())
            break;
    }
    if (!report.empty()) {
        LastWords words = split_report(fmt::format("{}", fmt::join(report, "\n")));
        words.is_report = true;
        return words;
    }
    return last.empty() ? std::nullopt : std::optional(LastWords{last, ""});
}

} // namespace commento
