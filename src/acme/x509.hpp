#pragma once
// Certificates and requests made here.

#include "acme/key.hpp"
#include "base/error.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

/// A request for a certificate (PKCS #10, RFC 2986) for host names, wildcards and IP addresses, DER.
Result<std::string> make_request(EVP_PKEY* key, const std::vector<std::string>& names);

/// A self-signed server certificate for such names, PEM, valid from an hour ago.
Result<std::string> make_self_signed(EVP_PKEY* key, const std::vector<std::string>& names,
                                     std::chrono::seconds lifetime);

/// The certificate that answers tls-alpn-01 for a host name or IP address (RFC 8737, 3), PEM, with the 32 bytes of
/// digest_of().
Result<std::string> make_proof(EVP_PKEY* key, const std::string& name, std::string_view digest);

} // namespace commento
