#pragma once
// Certificates and requests made here.

#include "base/error.hpp"
#include "acme/key.hpp"

#include <chrono>
#include <string>

namespace commento {

/// A request for a certificate (PKCS #10, RFC 2986) for one DNS name, DER.
Result<std::string> make_request(EVP_PKEY* key, const std::string& domain);

/// A self-signed server certificate for one DNS name, PEM, valid from an hour ago.
Result<std::string> make_self_signed(EVP_PKEY* key, const std::string& domain, std::chrono::seconds lifetime);

} // namespace commento
