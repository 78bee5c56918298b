#pragma once
// Logging through spdlog's own functions (spdlog::info(…) …): to the journal where stderr is connected to it, else
// to the terminal.

#include "base/error.hpp"

#include <string_view>

namespace commento {

/// Makes spdlog's default logger. In the journal each line is an entry, under the name and the unit of the process.
void set_up_log(std::string_view program);

/// True when systemd connected stderr to the journal (systemd.exec(5), $JOURNAL_STREAM).
bool logs_to_journal();

/// Reports the error that ends the program: the lines of the message, then those of the hint after `hint: `, all at the
/// level of errors, which nothing else is logged at. Called once, by program.cpp.
void report(const Error& error);

} // namespace commento
