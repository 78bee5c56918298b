#pragma once

#include <string>
#include <string_view>

namespace standin {

std::string replace_all(std::string text, std::string_view what, std::string_view with);

std::string_view trimmed(std::string_view text);

/// "https://blog.example:8080/a/b" -> "blog.example:8080"
std::string domain_of(const std::string& address);

/// "https://blog.example/a/b" -> "/a/b"; empty where there is no path.
std::string path_of_web_address(const std::string& address);

/// What a reader typed, as harmless HTML: one <p> per paragraph. The stand-in knows no Markdown.
std::string html_from_text(std::string_view text);

} // namespace standin
