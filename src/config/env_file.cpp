#include "config/env_file.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace commento {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool is_key(std::string_view key) {
    return !key.empty() && std::isdigit(static_cast<unsigned char>(key.front())) == 0 &&
           std::ranges::all_of(key,
                               [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

class Parser {
  public:
    Parser(std::string_view text, const std::string& file) : text_(text), file_(file) {}

    ParsedFile run() {
        while (at_ < text_.size())
            parse_line();
        return std::move(parsed_);
    }

  private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\n'; }
    bool ended() const { return at_ >= text_.size(); }

    char take() {
        const char c = text_[at_++];
        line_ += c == '\n' ? 1 : 0;
        return c;
    }

    void skip_rest_of_line() {
        while (!ended() && take() != '\n') {
        }
    }

    void parse_line() {
        while (!ended() && is_blank(peek()))
            take();
        const int line = line_;
        if (ended() || peek() == '\n' || peek() == '#' || peek() == ';')
            return skip_rest_of_line();
        const std::string key = take_key();
        if (ended() || peek() != '=') {
            add_fault(line, "", fmt::format("\"{}\" is no assignment; it has the form KEY=value", key));
            return skip_rest_of_line();
        }
        take();
        const std::string value = take_value(line, key);
        if (is_key(key))
            parsed_.assignments.push_back({key, value, line});
        else
            add_fault(line, key, "is no name of a key; letters, digits and underscores");
    }

    std::string take_key() {
        const std::size_t start = at_;
        while (!ended() && peek() != '=' && peek() != '\n')
            take();
        return std::string(trimmed(text_.substr(start, at_ - start)));
    }

    /// Quoted and unquoted pieces up to the end of the line, joined as systemd joins them.
    std::string take_value(int line, const std::string& key) {
        std::string value;
        std::size_t kept = 0; // trailing blanks after this length are cut
        while (!ended() && is_blank(peek()))
            take();
        while (!ended()) {
            const char c = take();
            if (c == '\n')
                break;
            if (c == '\'' || c == '"') {
                if (!take_quoted(c, value))
                    add_fault(line, key, fmt::format("has an opening {} that is never closed", c));
                kept = value.size();
            } else if (c == '\\') {
                take_escaped(value);
                kept = value.size();
            } else {
                value += c;
                kept = is_blank(c) ? kept : value.size();
            }
        }
        value.resize(kept);
        return value;
    }

    void take_escaped(std::string& value) {
        if (ended())
            return;
        const char c = take();
        if (c != '\n')
            value += c;
    }

    bool take_quoted(char quote, std::string& value) {
        while (!ended()) {
            const char c = take();
            if (c == quote)
                return true;
            if (c != '\\' || quote == '\'') {
                value += c;
                continue;
            }
            if (ended())
                return false;
            const char escaped = take();
            if (escaped == '\n')
                continue;
            // Inside double quotes a backslash stands for itself except before these (systemd.exec(5)).
            if (std::string_view("\"\\`$").find(escaped) == std::string_view::npos)
                value += '\\';
            value += escaped;
        }
        return false;
    }

    void add_fault(int line, const std::string& key, std::string problem) {
        parsed_.faults.push_back({file_, line, key, std::move(problem)});
    }

    std::string_view text_;
    const std::string& file_;
    std::size_t at_ = 0;
    int line_ = 1;
    ParsedFile parsed_;
};

/// How well a line fits as the place of `key`: 2 an assignment, 1 its commented default, 0 neither.
int fits(std::string_view line, std::string_view key) {
    std::string_view rest = trimmed(line);
    const bool commented = rest.starts_with('#');
    if (commented)
        rest = trimmed(rest.substr(1));
    if (!rest.starts_with(key))
        return 0;
    if (!trimmed(rest.substr(key.size())).starts_with('='))
        return 0;
    return commented ? 1 : 2;
}

} // namespace

std::string to_string(const Fault& fault) {
    std::string text = fault.file;
    if (fault.line > 0)
        text += fmt::format(":{}", fault.line);
    text += ": ";
    if (!fault.key.empty())
        text += fault.key + " ";
    return text + fault.problem;
}

ParsedFile parse_env_file(std::string_view text, const std::string& file) { return Parser(text, file).run(); }

std::string format_assignment(std::string_view key, std::string_view value) {
    const bool plain = std::ranges::all_of(value, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view("@%_-+=:,./").find(c) != std::string_view::npos;
    });
    if (plain)
        return fmt::format("{}={}", key, value);
    std::string quoted;
    for (const char c : value) {
        if (std::string_view("\"\\`$").find(c) != std::string_view::npos)
            quoted += '\\';
        quoted += c;
    }
    return fmt::format("{}=\"{}\"", key, quoted);
}

std::string with_assignment(std::string_view text, std::string_view key, std::string_view value) {
    std::size_t place = std::string_view::npos;
    std::size_t place_length = 0;
    int best = 0;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t length = std::min(text.find('\n', start), text.size()) - start;
        const int fit = fits(text.substr(start, length), key);
        // Of several assignments the last is the one that counts.
        if (fit > best || (fit == 2 && best == 2)) {
            best = fit;
            place = start;
            place_length = length;
        }
        start += length + 1;
    }
    const std::string line = format_assignment(key, value);
    std::string changed(text);
    if (best > 0)
        return changed.replace(place, place_length, line);
    if (!changed.empty() && changed.back() != '\n')
        changed += '\n';
    return changed + line + "\n";
}

} // namespace commento
