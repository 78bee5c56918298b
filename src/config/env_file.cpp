#include "config/env_file.hpp"

#include "base/translate.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <optional>

namespace commento {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kLineEnds = "\n\r"; // systemd ends a line at a carriage return, too

bool is_blank(char c) { return kBlanks.find(c) != std::string_view::npos; }
bool is_line_end(char c) { return kLineEnds.find(c) != std::string_view::npos; }

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
        while (!ended())
            parse_line();
        return std::move(parsed_);
    }

  private:
    bool ended() const { return at_ >= text_.size(); }
    bool at_line_end() const { return ended() || is_line_end(text_[at_]); }
    bool at(char c) const { return !ended() && text_[at_] == c; }

    char take() {
        const char c = text_[at_++];
        line_ += c == '\n' ? 1 : 0;
        return c;
    }

    void skip_blanks() {
        while (!ended() && is_blank(text_[at_]))
            take();
    }

    void parse_line() {
        skip_blanks();
        if (at('#') || at(';'))
            skip_comment();
        else if (!at_line_end())
            parse_assignment();
        if (!ended())
            take();
    }

    void skip_comment() {
        const int line = line_;
        const std::size_t start = at_;
        while (!at_line_end())
            take();
        if (text_.substr(start, at_ - start).ends_with('\\'))
            add_fault(line, "",
                      tr("a comment must not end with a backslash: systemd before 254 takes the next line into it"));
    }

    void parse_assignment() {
        const int line = line_;
        const std::size_t begin = at_;
        while (!at_line_end() && !at('='))
            take();
        const std::string key(trimmed(text_.substr(begin, at_ - begin)));
        if (!at('='))
            return add_fault(line, "", tr("\"{}\" is no assignment; it has the form KEY=value", key));
        take();
        std::string value = take_value(line, key);
        if (is_key(key))
            parsed_.assignments.push_back({key, std::move(value), line, begin, at_});
        else
            add_fault(line, key, tr("is no name of a key; letters, digits and underscores"));
    }

    /// Quoted pieces, then at most one unquoted piece: a quote counts as one only before that. Blanks beside a quoted
    /// piece and at both ends are dropped.
    std::string take_value(int line, const std::string& key) {
        std::string value;
        skip_blanks();
        while (at('\'') || at('"')) {
            const char quote = take();
            if (!(quote == '"' ? take_double_quoted(value) : take_single_quoted(value)))
                add_fault(line, key, tr("has an opening {} that is never closed", quote));
            skip_blanks();
        }
        take_unquoted(value);
        return value;
    }

    bool take_single_quoted(std::string& value) {
        while (!ended()) {
            const char c = take();
            if (c == '\'')
                return true;
            value += c;
        }
        return false;
    }

    bool take_double_quoted(std::string& value) {
        while (!ended()) {
            const char c = take();
            if (c == '"')
                return true;
            if (c != '\\') {
                value += c;
                continue;
            }
            if (ended())
                return false;
            const char escaped = take();
            if (escaped == '\n')
                continue;
            // A backslash stands for itself except before these (systemd.exec(5)).
            if (std::string_view("\"\\`$").find(escaped) == std::string_view::npos)
                value += '\\';
            value += escaped;
        }
        return false;
    }

    void take_unquoted(std::string& value) {
        std::size_t kept = value.size(); // blanks after this length are at the end
        while (!at_line_end()) {
            const char c = take();
            if (c == '\\') {
                take_escaped(value);
                kept = value.size();
            } else {
                value += c;
                kept = is_blank(c) ? kept : value.size();
            }
        }
        value.resize(kept);
    }

    void take_escaped(std::string& value) {
        if (ended())
            return;
        const char c = take();
        if (!is_line_end(c))
            value += c;
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

struct Span {
    std::size_t begin;
    std::size_t end;
};

/// The first line `#KEY=…` that no value of several lines holds, without its end.
std::optional<Span> find_commented_default(std::string_view text, const ParsedFile& parsed, std::string_view key) {
    const auto in_value = [&](std::size_t place) {
        return std::ranges::any_of(parsed.assignments,
                                   [&](const Assignment& a) { return a.begin <= place && place < a.end; });
    };
    const std::string wanted = fmt::format("#{}=", key);
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find_first_of(kLineEnds, begin), text.size());
        if (text.substr(begin, end - begin).starts_with(wanted) && !in_value(begin))
            return Span{begin, end};
        begin = end + 1;
    }
    return std::nullopt;
}

/// The place of the key in `text`, where it has one. Of several assignments the last is the one that counts.
std::optional<Span> find_place(std::string_view text, std::string_view key) {
    const ParsedFile parsed = parse_env_file(text, "");
    const auto last = std::ranges::find(parsed.assignments.rbegin(), parsed.assignments.rend(), key, &Assignment::key);
    if (last != parsed.assignments.rend())
        return Span{last->begin, last->end};
    return find_commented_default(text, parsed, key);
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
    const std::string line = format_assignment(key, value);
    std::string changed(text);
    if (const auto place = find_place(text, key))
        return changed.replace(place->begin, place->end - place->begin, line);
    if (changed.ends_with('\\'))
        changed += '\n';
    // A line's end after a backslash is none: the next line would be taken into the value.
    if (!changed.empty() && (changed.back() != '\n' || changed.ends_with("\\\n")))
        changed += '\n';
    return changed + line + "\n";
}

} // namespace commento
