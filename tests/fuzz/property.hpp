#pragma once
// What the targets share: properties that must hold for every input.

#include <algorithm>
#include <boost/locale/utf.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Ends the process where a property does not hold: libFuzzer then keeps the input.
inline void require(bool holds, const char* property) {
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %s\n", property);
    std::abort();
}

/// Whether a terminal and the journal show a text as it is: UTF-8 without control characters, those above ASCII
/// (U+0080 to U+009F) included, which terminals obey just the same.
inline bool is_showable(std::string_view text) {
    using Utf8 = boost::locale::utf::utf_traits<char>;
    for (const auto* at = text.begin(); at != text.end();) {
        const auto point = Utf8::decode(at, text.end());
        if (!boost::locale::utf::is_valid_codepoint(point) || point < 0x20 || (point >= 0x7F && point < 0xA0))
            return false;
    }
    return true;
}
