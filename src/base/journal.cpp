#include "base/journal.hpp"

#include "base/printable.hpp"
#include "base/process.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <string_view>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-messages.h>
#include <tuple>

namespace commento {
namespace {

constexpr int kSearched = 200; // entries of a unit, from its last one

/// A field of the current entry; empty when it lacks it.
std::string field(sd_journal* journal, const std::string& name) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (sd_journal_get_data(journal, name.c_str(), &data, &size) < 0)
        return {};
    return std::string(static_cast<const char*>(data), size).substr(name.size() + 1);
}

struct Line {
    std::string text;
    bool is_report;
    std::string process;
};
using Lines = std::deque<Line>;

/// Entries by the unit's programs and those by systemd about it, which tell the bounds of its runs.
void match_unit(sd_journal* journal, const std::string& unit) {
    match_entries(journal, "_SYSTEMD_UNIT=" + unit);
    sd_journal_add_disjunction(journal);
    match_entries(journal, "UNIT=" + unit);
    match_entries(journal, "_PID=1");
}

/// "Starting …" or "Started …" by systemd, which a unit with LogLevelMax=notice lacks.
bool is_begin(sd_journal* journal) {
    const std::string id = field(journal, "MESSAGE_ID");
    return id == SD_MESSAGE_UNIT_STARTING_STR || id == SD_MESSAGE_UNIT_STARTED_STR;
}

/// Of the lines between two runs, those that the later one wrote: the last ones that one process did.
Lines early_lines(const Lines& between, const Lines& of_run) {
    const std::string process = !of_run.empty()   ? of_run.front().process
                                : between.empty() ? ""
                                                  : between.back().process;
    const auto is_other = [&](const Line& line) { return line.process != process; };
    return {std::find_if(between.rbegin(), between.rend(), is_other).base(), between.end()};
}

/// What programs wrote in a run, the first line first. Journald looks a line's run up when it reads the line, and finds
/// none where the unit is gone by then (measured: a millisecond after its end, and before it has what systemd says of
/// that end). Such a line belongs to the run in front of it; to the one behind it where that run does not tell where it
/// begins.
Lines read_run(const std::string& unit, const std::string& invocation) {
    const JournalHandle owned = open_journal();
    if (!owned || invocation.empty())
        return {};
    sd_journal* journal = owned.get();
    match_unit(journal, unit);
    sd_journal_seek_tail(journal);
    Lines lines;
    Lines without_run; // in front of the last entry of a run
    bool is_seen = false;
    bool is_begun = false;
    for (int i = 0; i < kSearched && sd_journal_previous(journal) > 0; ++i) {
        const bool by_systemd = field(journal, "_PID") == "1";
        const std::string run = field(journal, by_systemd ? "INVOCATION_ID" : "_SYSTEMD_INVOCATION_ID");
        if (!run.empty() && run != invocation) {
            if (is_seen)
                break;
            without_run.clear();
            continue;
        }
        if (std::string text = message_of_entry(journal); !by_systemd && !text.empty())
            without_run.push_front({std::move(text), is_report_entry(journal), field(journal, "_PID")});
        if (run.empty())
            continue;
        is_seen = true;
        is_begun = by_systemd && is_begin(journal);
        lines.insert(lines.begin(), without_run.begin(), without_run.end());
        without_run.clear();
    }
    if (is_seen && !is_begun) {
        const Lines early = early_lines(without_run, lines);
        lines.insert(lines.begin(), early.begin(), early.end());
    }
    return lines;
}

} // namespace

void CloseJournal::operator()(sd_journal* journal) const { sd_journal_close(journal); }

JournalHandle open_journal() {
    sd_journal* journal = nullptr;
    return JournalHandle(sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0 ? nullptr : journal);
}

bool may_read_journal() {
    const JournalHandle journal = open_journal();
    return journal &&
           (sd_journal_has_persistent_files(journal.get()) > 0 || sd_journal_has_runtime_files(journal.get()) > 0);
}

void sync_journal() { std::ignore = run_program({"journalctl", "--sync"}, std::chrono::seconds(10)); }

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

std::vector<std::string> lines_of_run(const std::string& unit, const std::string& invocation) {
    std::vector<std::string> texts;
    for (auto& line : read_run(unit, invocation))
        texts.push_back(std::move(line.text));
    return texts;
}

std::optional<LastWords> last_words(const std::string& unit, const std::string& invocation) {
    const auto lines = read_run(unit, invocation);
    if (lines.empty())
        return std::nullopt;
    const auto is_report = [](const Line& line) { return line.is_report; };
    const auto end = std::find_if(lines.rbegin(), lines.rend(), is_report);
    const auto begin = std::find_if_not(end, lines.rend(), is_report);
    if (end == lines.rend())
        return LastWords{lines.back().text, ""};
    std::string report;
    for (auto line = begin.base(); line != end.base(); ++line)
        report += (report.empty() ? "" : "\n") + line->text;
    LastWords words = split_report(report);
    words.is_report = true;
    return words;
}

} // namespace commento
