#pragma once
// Files compressed beforehand, as small as can be: it is done once for each release. Same bytes in, same bytes out.

#include <string>
#include <string_view>

namespace commento {

/// gzip (RFC 1952) at level 9, without name and time.
std::string gzip(std::string_view content);

/// Brotli (RFC 7932) at quality 11.
std::string brotli(std::string_view content);

} // namespace commento
