#pragma once
// Messages in the operator's language, by gettext(3) from the catalogues that po/ has. A program that does not call
// speak_operators_language() speaks English. So do the helpers: what stands in the journal is searched for, and asked
// about, in English.

#include <fmt/format.h>
#include <string>
#include <string_view>

namespace commento {

/// Takes the language of messages from the environment (LC_ALL, LC_MESSAGES, LANG, LANGUAGE).
void speak_operators_language();

/// Marks a text for the catalogue that translated() is called with later.
constexpr const char* msgid(const char* text) { return text; }

/// A marked text in the operator's language; itself where there is no translation.
std::string translated(std::string_view text);

/// The message in the operator's language.
inline std::string tr(const char* message) { return translated(message); }

/// For tr() alone: the translation of `format`, or `format` itself where that does not fit the values.
std::string format_translated(fmt::string_view format, fmt::format_args values);

/// The same with values in it, as fmt::format() has them.
template <typename... Values>
std::string tr(fmt::format_string<Values...> message, Values&&... values) {
    return format_translated(message, fmt::make_format_args(values...));
}

} // namespace commento
