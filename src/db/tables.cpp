#include "db/tables.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace commento {
namespace {

// What the text of a row depends on beside the row.
constexpr const char* kPlainText = "SELECT set_config('timezone', 'UTC', false), set_config('datestyle', 'ISO, MDY', "
                                   "false), set_config('intervalstyle', 'postgres', false), "
                                   "set_config('extra_float_digits', '1', false), set_config('bytea_output', 'hex', "
                                   "false), set_config('statement_timeout', '0', false)";

std::uint64_t to_number(const std::string& digits) {
    std::uint64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

std::string shown(const TableFacts* facts) {
    return facts == nullptr ? "no such table" : fmt::format("{} rows, checksum {}", facts->rows, facts->checksum);
}

const TableFacts* find(const std::vector<TableFacts>& tables, const std::string& name) {
    const auto found = std::ranges::find(tables, name, &TableFacts::name);
    return found == tables.end() ? nullptr : &*found;
}

} // namespace

Result<std::vector<TableFacts>> facts_of_tables(Postgres& database) {
    COMMENTO_CHECK(database.query(kPlainText));
    COMMENTO_ASSIGN(const auto names,
                    database.query("SELECT relname, quote_ident(relname) FROM pg_class WHERE relkind IN "
                                   "('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1"));
    std::vector<TableFacts> tables;
    for (const auto& name : names) {
        COMMENTO_ASSIGN(const auto rows,
                        database.query(fmt::format("SELECT count(*), coalesce(sum(('x' || left(md5(t::text), "
                                                   "16))::bit(64)::bigint), 0) FROM public.{} AS t",
                                                   name.at(1))));
        tables.push_back({name.at(0), to_number(rows.at(0).at(0)), rows.at(0).at(1)});
    }
    return tables;
}

std::string differences(const std::vector<TableFacts>& expected, const std::vector<TableFacts>& found) {
    std::string text;
    const auto add = [&](const TableFacts* before, const TableFacts* now) {
        if (before == nullptr || now == nullptr || *before != *now)
            text += fmt::format("{}table {}: {} in the backup, {} in what came of it", text.empty() ? "" : "\n",
                                (before == nullptr ? now : before)->name, shown(before), shown(now));
    };
    for (const auto& table : expected)
        add(&table, find(found, table.name));
    for (const auto& table : found) {
        if (find(expected, table.name) == nullptr)
            add(nullptr, &table);
    }
    return text;
}

} // namespace commento
