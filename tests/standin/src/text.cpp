#include "text.hpp"

namespace standin {

std::string replace_all(std::string text, std::string_view what, std::string_view with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
        text.replace(at, what.size(), with);
    }
    return text;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string domain_of(const std::string& address) {
    const std::string bare = replace_all(replace_all(address, "http://", ""), "https://", "");
    return bare.substr(0, bare.find('/'));
}

std::string path_of_web_address(const std::string& address) {
    const std::size_t host = address.find("://");
    const std::size_t path = address.find('/', host == std::string::npos ? 0 : host + 3);
    return path == std::string::npos ? "" : address.substr(path);
}

namespace {

std::string escaped(std::string_view text) {
    std::string html;
    for (const char c : text) {
        switch (c) {
        case '&':
            html += "&amp;";
            break;
        case '<':
            html += "&lt;";
            break;
        case '>':
            html += "&gt;";
            break;
        case '"':
            html += "&#34;";
            break;
        default:
            html += c;
        }
    }
    return html;
}

} // namespace

std::string html_from_text(std::string_view text) {
    std::string html;
    for (std::string_view rest = trimmed(text); !rest.empty();) {
        const std::size_t end = rest.find("\n\n");
        html += (html.empty() ? "<p>" : "\n<p>") + escaped(trimmed(rest.substr(0, end))) + "</p>\n";
        rest = end == std::string_view::npos ? std::string_view() : trimmed(rest.substr(end));
    }
    return html;
}

} // namespace standin
