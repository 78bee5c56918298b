#pragma once
// What units wrote to the journal (sd-journal(3)).

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct sd_journal;

namespace commento {

/// Why a run of a unit ended as it did, in its own words.
struct LastWords {
    std::string message;    ///< may be several lines
    std::string hint;       ///< empty where there is none
    bool is_report = false; ///< of report() of base/log.hpp; else just the last line
};

/// The two parts of what report() of base/log.hpp writes.
LastWords split_report(const std::string& text);

struct CloseJournal {
    void operator()(sd_journal* journal) const;
};
using JournalHandle = std::unique_ptr<sd_journal, CloseJournal>;

/// The system's journal; null where it can't be read.
JournalHandle open_journal();

/// Whether the caller may read it: root, and groups that the host has for that. Others can open it, and find no file.
bool may_read_journal();

/// Has the journal take in what programs have written before, which it may do after systemd tells of their end. Returns
/// after 10 s at the latest; a journal that does not answer costs lines, nothing else.
void sync_journal();

/// Adds a `FIELD=value` that entries must have.
void match_entries(sd_journal* journal, const std::string& assignment);

/// The current entry's text, harmless().
std::string message_of_entry(sd_journal* journal);

/// Whether the current entry is a line of what report() of base/log.hpp wrote.
bool is_report_entry(sd_journal* journal);

/// The error that a program of ours reported in a run of `unit`, whose id is `invocation` (UnitState::invocation), else
/// the last line that was logged in it. Nothing where there is none, or where the caller may not read the journal.
std::optional<LastWords> last_words(const std::string& unit, const std::string& invocation);

/// The lines that were logged in that run; of many, the last ones.
std::vector<std::string> lines_of_run(const std::string& unit, const std::string& invocation);

} // namespace commento
