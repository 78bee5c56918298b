#pragma once
// Logging through spdlog's own functions (spdlog::info(…) …): to the journal where stderr is connected to it, else
// to the terminal.

#include "base/error.hpp"

#include <string_view>

namespace commento {

/// Makes spdlog's default logger. `program` is the journal's SYSLOG_IDENTIFIER.
void set_up_log(std::string_view program);

/// True when systemd connected stderr to the journal (systemd.exec(5), $JOURNAL_STREAM).
bool logs_to_journal();

/// To be called before the program ends: waits, at most 2 s, until journald has read what was logged. It looks up by
/// the process's id which unit an entry belongs to, so the last words of a program that is gone by then would show in
/// no `systemctl status` (measured on a busy host: 2 of 60).
void settle_log();

/// Reports the error that ends the program, with the journal fields COMMENTO_ERROR, COMMENTO_HINT and EXIT_STATUS, or
/// as `error:` and `hint:` lines on stderr. Called once, by run.cpp.
void report(const Error& error);

} // namespace commento
