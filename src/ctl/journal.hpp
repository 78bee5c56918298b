#pragma once
// What units wrote to the journal (sd-journal(3)).

#include "base/error.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct sd_journal;

namespace commento {

/// Why a run of a unit ended as it did, in its own words.
struct LastWords {
    std::string message; ///< may be several lines
    std::string hint;    ///< empty where there is none
};

/// The two parts of what report() of base/log.hpp writes.
LastWords split_report(const std::string& text);

struct CloseJournal {
    void operator()(sd_journal* journal) const;
};
using JournalHandle = std::unique_ptr<sd_journal, CloseJournal>;

/// The error that a program of ours reported in the run `invocation` (UnitState::invocation), else the last line that
/// was logged in it. Nothing where there is none, or where the caller may not read the journal.
std::optional<LastWords> last_words(const std::string& invocation);

/// Shows on stdout what units log from now on; how far it is, on a terminal as a bar.
class Follower {
  public:
    /// ErrorCode::internal where the journal can't be read.
    static Result<Follower> begin(const std::vector<std::string>& units);

    /// Has something to read when there is something new (poll(2)).
    int fd() const;

    /// Shows what is new, but the report of an error, which is kept.
    void show_new();

    /// Shows all that was logged up to now, when the journal has it; for root only.
    void show_rest();

    /// The error that was reported meanwhile.
    std::optional<LastWords> error() const;

  private:
    explicit Follower(JournalHandle journal) : journal_(std::move(journal)) {}
    void show(const std::string& line);

    JournalHandle journal_;
    std::string report_;
    bool is_at_bar_ = false; ///< the terminal's last line is a bar, to be written over
};

} // namespace commento
