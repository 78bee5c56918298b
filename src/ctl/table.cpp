#include "ctl/table.hpp"

#include "base/printable.hpp"
#include "ctl/output.hpp"

#include <cstdlib>
#include <libsmartcols/libsmartcols.h>
#include <memory>
#include <new>

namespace commento {
namespace {

struct Release {
    void operator()(libscols_table* table) const { scols_unref_table(table); }
    void operator()(char* text) const { std::free(text); } // NOLINT(cppcoreguidelines-no-malloc): libsmartcols' own
};

/// For scols_cell_set_color(3).
const char* name_of(Colour colour) {
    switch (colour) {
    case Colour::good:
        return "green";
    case Colour::bad:
        return "red";
    case Colour::doubtful:
        return "yellow";
    case Colour::none:
        break;
    }
    return nullptr;
}

void add_columns(libscols_table* table, const std::vector<std::string>& titles) {
    for (const auto& title : titles) {
        const bool last = &title == &titles.back();
        libscols_column* column = scols_table_new_column(table, title.c_str(), 0, last ? SCOLS_FL_WRAP : 0);
        if (column == nullptr)
            throw std::bad_alloc();
        scols_column_set_safechars(column, "\n");
        scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, nullptr);
    }
}

void add_row(libscols_table* table, const std::vector<Cell>& cells) {
    libscols_line* line = scols_table_new_line(table, nullptr);
    if (line == nullptr)
        throw std::bad_alloc();
    for (std::size_t i = 0; i < cells.size(); ++i) {
        scols_line_set_data(line, i, harmless(cells[i].text).c_str());
        scols_cell_set_color(scols_line_get_cell(line, i), name_of(cells[i].colour));
    }
}

} // namespace

Look look_of_stdout() {
    const char* plain = std::getenv("NO_COLOR");
    return is_obeyed() && (plain == nullptr || *plain == '\0') ? Look::terminal : Look::plain;
}

std::string draw_table(const std::vector<std::string>& titles, const std::vector<std::vector<Cell>>& rows, Look look) {
    const std::unique_ptr<libscols_table, Release> table(scols_new_table());
    if (!table)
        throw std::bad_alloc();
    scols_table_enable_colors(table.get(), look == Look::terminal ? 1 : 0);
    scols_table_enable_noencoding(table.get(), 1); // it would change backslashes, too; harmless() does what is needed
    scols_table_set_termforce(table.get(), look == Look::terminal ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
    add_columns(table.get(), titles);
    for (const auto& row : rows)
        add_row(table.get(), row);
    char* text = nullptr;
    if (scols_print_table_to_string(table.get(), &text) != 0)
        throw std::bad_alloc();
    const std::unique_ptr<char, Release> owned(text);
    std::string drawn(text);
    while (drawn.ends_with('\n'))
        drawn.pop_back();
    return drawn;
}

} // namespace commento
