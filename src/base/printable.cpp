#include "base/printable.hpp"

#include <algorithm>
#include <boost/locale/utf.hpp>

namespace commento {
namespace {

namespace utf = boost::locale::utf;
using Utf8 = utf::utf_traits<char>;

bool is_control(utf::code_point letter) {
    constexpr utf::code_point kDelete = 0x7F;
    constexpr utf::code_point kLastControl = 0x9F;
    return letter < ' ' || (letter >= kDelete && letter <= kLastControl);
}

} // namespace

std::string printable(std::string_view text) {
    constexpr std::size_t kLongest = 1000;
    std::string clean;
    for (const auto* at = text.begin(); at != text.end();) {
        const auto* const begin = at;
        const utf::code_point letter = Utf8::decode(at, text.end());
        if (clean.size() + static_cast<std::size_t>(at - begin) > kLongest)
            return clean + "...";
        if (!utf::is_valid_codepoint(letter))
            clean += '?';
        else if (is_control(letter))
            clean += ' ';
        else
            clean.append(begin, at);
    }
    return clean;
}

std::string harmless(std::string_view text) {
    std::string clean(text);
    std::ranges::replace_if(
        clean, [](unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }, '?');
    return clean;
}

} // namespace commento
