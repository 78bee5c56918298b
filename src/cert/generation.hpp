#pragma once
// What is known of a certificate in the store without loading it: kept beside it in info.json, so that a run with
// nothing due needs no cryptography.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

enum class Source { self_signed, files, acme };

struct Origin {
    Source source;
    std::string directory = {}; ///< of the ACME authority; empty for the other sources

    bool operator==(const Origin&) const = default;
};

/// What a certificate does not say itself.
struct GenerationFacts {
    Origin origin;
    std::string profile = {};      ///< that was asked for; may be empty
    std::string renewal_info = {}; ///< address of the authority's renewal information (RFC 9773); empty: it has none
};

struct Generation {
    std::string name; ///< NNNN, its folder's
    GenerationFacts facts;
    std::string key_type; ///< a word of TLS_KEY_TYPE, or empty
    std::string issuer;
    std::string serial;             ///< hexadecimal
    std::vector<std::string> names; ///< host names, wildcards, IP addresses
    std::int64_t not_before;        ///< seconds since 1970
    std::int64_t not_after;         ///< seconds since 1970
    std::string fingerprint;        ///< SHA-256 of the certificate, hexadecimal
    bool revoked = false;
};

/// info.json's text.
std::string to_info(const Generation& generation);

/// Nothing where the text is not what to_info() writes.
std::optional<Generation> from_info(const std::string& name, std::string_view text);

} // namespace commento
