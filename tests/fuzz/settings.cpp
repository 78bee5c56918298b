// The settings files. The input is the text of the first, then, after the last NUL, that of the second.

#include "config/settings.hpp"
#include "config/database_server.hpp"
#include "config/keys.hpp"
#include "property.hpp"

using namespace commento;

namespace {

void check_places(std::string_view text, const ParsedFile& parsed) {
    std::size_t before = 0;
    for (const auto& [key, value, line, begin, end] : parsed.assignments) {
        require(before <= begin && begin < end && end <= text.size(), "assignments lie in the text, one after another");
        require(text.substr(begin).starts_with(key), "an assignment begins with its key");
        require(line == 1 + std::ranges::count(text.substr(0, begin), '\n'), "an assignment has the line it begins in");
        before = end;
    }
}

void check_read_back(const std::string& key, const std::string& value) {
    const ParsedFile parsed = parse_env_file(format_assignment(key, value) + "\n", "");
    require(parsed.faults.empty() && parsed.assignments.size() == 1, "a written assignment is one");
    require(parsed.assignments.front().key == key && parsed.assignments.front().value == value,
            "a written assignment is read back the same");
}

std::vector<std::pair<std::string, std::string>> pairs_of(const ParsedFile& parsed) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto& assignment : parsed.assignments)
        pairs.emplace_back(assignment.key, assignment.value);
    return pairs;
}

/// In a file without faults, only what was changed is different afterwards.
void check_change(std::string_view text, const ParsedFile& parsed, const std::string& key, const std::string& value) {
    auto expected = pairs_of(parsed);
    const auto last =
        std::find_if(expected.rbegin(), expected.rend(), [&](const auto& pair) { return pair.first == key; });
    const bool is_new = last == expected.rend();
    if (is_new)
        expected.emplace_back(key, value);
    else
        last->second = value;

    const std::string changed = with_assignment(text, key, value);
    const ParsedFile after = parse_env_file(changed, "");
    require(after.faults.empty(), "a changed file has no fault that it had not");
    auto found = pairs_of(after);
    if (is_new) { // it takes the place of a commented default
        std::ranges::sort(found);
        std::ranges::sort(expected);
    }
    require(found == expected, "a changed file has the new value, and the others as they were");
    require(with_assignment(changed, key, value) == changed, "the same change again changes nothing");
}

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find_first_of("\n\r"))); }

/// Names and passwords go into files of others: a line end in one would be another line there.
void check_database(const Settings& settings) {
    const DatabaseServer server = database_server(Paths{}, settings);
    require(!server.hosts.empty() && !server.database.empty() && !server.owner.empty(), "the database is somewhere");
    require(server.is_own == settings.text("DATABASE_URL").empty(), "an address without a fault is used");
    for (const auto& [keyword, value] : connection_words(server, server.owner, server.database))
        require(is_showable(value), "what a server is told is printable");
    for (const auto& host : server.hosts)
        require(host.port > 0 && host.port <= 65535 && !host.name.empty(), "a host has a name and a port");
}

void check_settings(std::string_view open, std::string_view secret) {
    const auto [settings, faults] = Settings::examine(open, secret, Paths{});
    for (const auto& fault : faults)
        require(!to_string(fault).empty(), "a fault is told");
    if (!faults.empty())
        return;
    const auto names = settings.certificate_names();
    require(!names.empty() && names.size() <= 1 + open.size() / 2, "settings without a fault name the site");
    for (const auto& name : names)
        require(is_showable(name) && name.find_first_of("/ \t\"'\\") == std::string::npos, "a name is one");
    for (const auto& key : all_keys())
        require(is_showable(settings.text(key.name)), "a value without a fault can be shown");
    require(settings.origin().starts_with("http") && !settings.origin().ends_with('/'), "the site has an address");
    require(settings.acme_directory().starts_with("https://"), "the authority has an address");
    require(settings.number("HTTP_PORT") > 0 && settings.number("HTTP_PORT") <= 65535, "a port is one");
    for (const auto& [key, value] : settings.application_settings())
        check_read_back(key, value);
    check_database(settings);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view whole = text_of(data, size);
    const std::string_view open = whole.substr(0, whole.rfind('\0'));
    const std::string_view secret = open.size() < size ? whole.substr(open.size() + 1) : std::string_view{};
    const ParsedFile parsed = parse_env_file(open, "");
    check_places(open, parsed);
    for (const auto& assignment : parsed.assignments)
        check_read_back(assignment.key, assignment.value);
    if (parsed.faults.empty()) {
        check_change(open, parsed, "DOMAIN", first_line(secret));
        if (!parsed.assignments.empty())
            check_change(open, parsed, parsed.assignments.front().key, first_line(secret));
    }
    check_settings(open, secret);
    return 0;
}
