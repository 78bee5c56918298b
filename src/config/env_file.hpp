#pragma once
// KEY=value files with the grammar of systemd's EnvironmentFile= (systemd.exec(5)).

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

struct Assignment {
    std::string key;
    std::string value;
    int line;          ///< counted from 1; where the assignment begins
    std::size_t begin; ///< its place in the text, in bytes: from the key to before the end of the line
    std::size_t end;
};

struct Fault {
    std::string file;
    int line;        ///< 0 when the fault is something that is missing
    std::string key; ///< may be empty
    std::string problem;
};

/// `FILE:LINE: KEY: problem`, with those parts that there are.
std::string to_string(const Fault& fault);

struct ParsedFile {
    std::vector<Assignment> assignments;
    std::vector<Fault> faults;
};

/// Parses the text of `file` (the name is for messages only). Every fault of the file is listed.
ParsedFile parse_env_file(std::string_view text, const std::string& file);

/// `KEY=value` with quotes where the value needs them, so that parse_env_file and systemd read it back the same.
std::string format_assignment(std::string_view key, std::string_view value);

/// `text` with the assignment of `key` replaced, where there is one; else with its commented default (`#KEY=…`)
/// replaced; else with a line appended. Everything else stays byte for byte. The value holds no line end.
std::string with_assignment(std::string_view text, std::string_view key, std::string_view value);

} // namespace commento
