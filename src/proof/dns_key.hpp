#pragma once
// TSIG keys (RFC 8945) in files.

#include "base/error.hpp"

#include <filesystem>
#include <string>

namespace commento {

struct TsigKey {
    std::string name;
    std::string algorithm; ///< as in messages: a domain name
    std::string secret;    ///< base64
};

/// The first key of a file as tsig-keygen(8) writes it: key "NAME" { algorithm hmac-sha256; secret "..."; }; Comments
/// as in named.conf are skipped. ErrorCode::settings where it is not of that form, or the algorithm is unknown;
/// ErrorCode::storage or ErrorCode::permission where it can't be read.
Result<TsigKey> read_tsig_key(const std::filesystem::path& file);

} // namespace commento
