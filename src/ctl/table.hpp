#pragma once
// Tables by libsmartcols: fitted to the terminal and coloured there, plain where stdout is a file or a pipe.

#include <string>
#include <vector>

namespace commento {

enum class Colour { none, good, bad, doubtful };

struct Cell {
    std::string text;
    Colour colour = Colour::none;
};

enum class Look { terminal, plain };

/// How stdout wants it: plain where it obeys no control sequences (is_obeyed() of output.hpp); NO_COLOR (no-color.org)
/// is the reader's wish for plain, too.
Look look_of_stdout();

/// The last column is wrapped where a terminal is too narrow.
std::string draw_table(const std::vector<std::string>& titles, const std::vector<std::vector<Cell>>& rows, Look look);

} // namespace commento
