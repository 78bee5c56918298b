#include "ctl/journal.hpp"

#include "ctl/output.hpp"

#include <chrono>
#include <fmt/format.h>
#include <string_view>
#include <systemd/sd-journal.h>

namespace commento {
namespace {

constexpr const char* kReport = "COMMENTO_ERROR"; // in every entry by report() of base/log.hpp
constexpr const char* kManager = "1";             // its process
constexpr int kSearched = 200;                    // entries of a run, from its last one

/// A field of the current entry; nothing when it lacks it.
std::optional<std::string> field(sd_journal* journal, const std::string& name) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (sd_journal_get_data(journal, name.c_str(), &data, &size) < 0)
        return std::nullopt;
    const std::string_view text(static_cast<const char*>(data), size);
    return std::string(text.substr(name.size() + 1));
}

/// The current entry; its message without the hint that report() appends for readers of the journal.
LastWords words(sd_journal* journal) {
    std::string message = field(journal, "MESSAGE").value_or("");
    std::string hint = field(journal, "COMMENTO_HINT").value_or("");
    if (const std::string tail = "\nhint: " + hint; !hint.empty() && message.ends_with(tail))
        message.resize(message.size() - tail.size());
    return {harmless(message), harmless(hint)};
}

JournalHandle open_journal() {
    sd_journal* journal = nullptr;
    return JournalHandle(sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0 ? nullptr : journal);
}

void match(sd_journal* journal, const std::string& assignment) { sd_journal_add_match(journal, assignment.c_str(), 0); }

} // namespace

void CloseJournal::operator()(sd_journal* journal) const { sd_journal_close(journal); }

std::optional<LastWords> last_words(const std::string& invocation) {
    const JournalHandle owned = open_journal();
    if (!owned || invocation.empty())
        return std::nullopt;
    sd_journal* journal = owned.get();
    match(journal, "_SYSTEMD_INVOCATION_ID=" + invocation);
    sd_journal_seek_tail(journal);
    std::optional<LastWords> last;
    for (int i = 0; i < kSearched && sd_journal_previous(journal) > 0; ++i) {
        if (field(journal, kReport))
            return words(journal);
        if (!last)
            last = words(journal);
    }
    return last;
}

Result<Follower> Follower::begin(const std::string& unit) {
    JournalHandle owned = open_journal();
    if (!owned || sd_journal_get_fd(owned.get()) < 0)
        return fail(ErrorCode::internal, "cannot read the journal", "is systemd-journald.service active?");
    sd_journal* journal = owned.get();
    match(journal, "_SYSTEMD_UNIT=" + unit);
    sd_journal_add_disjunction(journal);
    match(journal, fmt::format("_PID={}", kManager));
    match(journal, "UNIT=" + unit);
    // Not the tail: where nothing matches yet, no step leads on from there.
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    sd_journal_seek_realtime_usec(journal, std::chrono::duration_cast<std::chrono::microseconds>(now).count());
    return Follower(std::move(owned));
}

int Follower::fd() const { return sd_journal_get_fd(journal_.get()); }

void Follower::show_new() {
    sd_journal* journal = journal_.get();
    sd_journal_process(journal);
    while (sd_journal_next(journal) > 0) {
        if (field(journal, "JOB_RESULT"))
            ended_ = field(journal, "INVOCATION_ID").value_or("");
        else if (field(journal, kReport))
            error_ = words(journal);
        else if (field(journal, "_PID") != kManager)
            say(words(journal).message);
    }
}

void Follower::show_rest(const std::string& invocation) {
    constexpr std::chrono::microseconds kLimit = std::chrono::seconds(2); // journald writes within milliseconds
    show_new();
    while (ended_ != invocation && sd_journal_wait(journal_.get(), kLimit.count()) > SD_JOURNAL_NOP)
        show_new();
}

} // namespace commento
