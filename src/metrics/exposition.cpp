#include "metrics/exposition.hpp"

#include <fmt/format.h>
#include <utility>

namespace commento {
namespace {

std::string escaped(std::string_view value) {
    std::string escaped;
    for (const char c : value) {
        if (c == '\\' || c == '"')
            escaped += '\\';
        escaped += c == '\n' ? "\\n" : std::string(1, c);
    }
    return escaped;
}

std::string to_text(const Labels& labels) {
    std::string text;
    for (const auto& [name, value] : labels)
        text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, escaped(value));
    return text.empty() ? text : fmt::format("{{{}}}", text);
}

} // namespace

void Exposition::gauge(std::string_view name, std::string_view help) {
    name_ = name;
    head_ = fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
}

void Exposition::sample(double value, const Labels& labels) {
    text_ += std::exchange(head_, {});
    text_ += fmt::format("{}{} {}\n", name_, to_text(labels), value);
}

} // namespace commento
