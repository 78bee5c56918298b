#pragma once
#include <string>
#include <string_view>

namespace commento {

/// Text from another party as it may go to logs, files and terminals: UTF-8 without control characters, which become
/// blanks (U+0080 to U+009F too: terminals obey them), and of at most 1000 bytes and three dots. What is no UTF-8
/// becomes question marks.
std::string printable(std::string_view text);

/// `text` from elsewhere (a journal, a certificate) without what a terminal would obey: control characters but line
/// ends and tabs become `?`.
std::string harmless(std::string_view text);

} // namespace commento
