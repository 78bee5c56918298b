#pragma once
// What units write to the journal, as it comes.

#include "base/error.hpp"
#include "base/journal.hpp"

#include <optional>
#include <string>
#include <vector>

namespace commento {

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
