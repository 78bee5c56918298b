#include "base/translate.hpp"

#include <clocale>
#include <libintl.h>

namespace commento {
namespace {

constexpr const char* kDomain = "commento-stack";

} // namespace

void speak_operators_language() {
    (void)std::setlocale(LC_MESSAGES, ""); // NOLINT(concurrency-mt-unsafe): once, before any thread
    // What a terminal that shows another character set makes of it is iconv's: the C library turns it over.
    ::bindtextdomain(kDomain, COMMENTO_LOCALE_FOLDER);
}

std::string translated(std::string_view text) {
    // The empty one is the catalogue's own description.
    return text.empty() ? "" : ::dgettext(kDomain, std::string(text).c_str());
}

std::string format_translated(fmt::string_view format, fmt::format_args values) {
    const std::string here = translated({format.data(), format.size()});
    try {
        return fmt::vformat(here, values);
    } catch (const fmt::format_error&) {
        // A translation that does not fit is a lesser fault than a message that is lost.
        return fmt::vformat(format, values);
    }
}

} // namespace commento
