#pragma once
// What the operator reads on stdout.

#include <string>
#include <string_view>

namespace commento {

/// Writes a line to stdout.
void say(std::string_view line);

/// Writes over the terminal's present line, and stays there.
void draw(std::string_view line);

/// Whether stdout is a terminal that obeys control sequences: TERM (environ(7)) is set, and does not say "dumb".
bool is_obeyed();

/// False when a line could not be written. A reader that has gone away is no failure: what it asked for is still done.
bool was_heard();

} // namespace commento
