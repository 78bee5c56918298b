#pragma once
// X.509 certificates as files hold them and as a TLS server presents them. Checks no signature: for comparing and
// showing.

#include "base/error.hpp"
#include "net/preamble.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

struct x509_st; // OpenSSL's X509

namespace commento {

struct Certificate {
    std::string serial;             ///< hexadecimal
    std::string issuer;             ///< common name, or organization
    std::vector<std::string> names; ///< DNS names and IP addresses of subjectAltName
    std::int64_t not_before;        ///< seconds since 1970
    std::int64_t not_after;         ///< seconds since 1970
    bool self_signed;
    std::string fingerprint; ///< SHA-256 of the whole certificate, hexadecimal
    bool names_responder;    ///< of OCSP (RFC 6960)
};

/// What there is to know of a certificate that OpenSSL has loaded.
Certificate describe_certificate(x509_st* certificate);

/// The first certificate of a PEM text. ErrorCode::authority when there is none.
Result<Certificate> parse_certificate(std::string_view pem);

/// The first certificate of a PEM file. ErrorCode::storage or ErrorCode::permission when it can't be read.
Result<Certificate> read_certificate(const std::filesystem::path& file);

/// The certificate that the TLS server at `address`:`port` (a numeric IPv4 or IPv6 address) presents for `name`.
/// ErrorCode::network when it does not answer within `limit`.
Result<Certificate> served_certificate(const std::string& address, int port, const std::string& name,
                                       std::chrono::milliseconds limit, Preamble preamble = Preamble::none);

} // namespace commento
