#pragma once
// What an authority wants to see of who asks for a certificate (RFC 8555, 8).

#include <string>

namespace commento {

struct Challenge {
    std::string name; ///< host name or IP address; of a wildcard without the `*.`
    std::string type; ///< http-01, tls-alpn-01 or dns-01
    std::string url;
    std::string token;   ///< letters of base64url only: safe as a file name
    std::string content; ///< the key authorization (RFC 8555, 8.1)
};

/// SHA-256 of the key authorization: what tls-alpn-01 shows (RFC 8737, 3), 32 bytes.
std::string digest_of(const Challenge& challenge);

/// The text of the record that dns-01 wants (RFC 8555, 8.4): that digest in base64url.
std::string record_of(const Challenge& challenge);

} // namespace commento
