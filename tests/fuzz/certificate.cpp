// Certificates as authorities and TLS servers give them: the input is DER, what base64 in PEM would hide from the
// fuzzer. What is told of one must also go through info.json.

#include "net/certificate.hpp"
#include "cert/generation.hpp"
#include "net/openssl.hpp"
#include "property.hpp"

#include <openssl/pem.h>

using namespace commento;

namespace {

std::string to_pem(const std::uint8_t* data, std::size_t size) {
    const Owned<BIO> target(BIO_new(BIO_s_mem()));
    PEM_write_bio(target.get(), PEM_STRING_X509, "", data, static_cast<long>(size));
    char* text = nullptr;
    const long length = BIO_get_mem_data(target.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

bool is_hexadecimal(std::string_view text) { return text.find_first_not_of("0123456789abcdefABCDEF-") == text.npos; }

void check_info(const Certificate& certificate) {
    const Generation generation{.name = "0001",
                                .facts = {.origin = {Source::acme, "https://authority.example/directory"}},
                                .key_type = "ecdsa-p256",
                                .issuer = certificate.issuer,
                                .serial = certificate.serial,
                                .names = certificate.names,
                                .not_before = certificate.not_before,
                                .not_after = certificate.not_after,
                                .fingerprint = certificate.fingerprint,
                                .revoked = false};
    const auto read_back = from_info(generation.name, to_info(generation));
    require(read_back && read_back->names == certificate.names && read_back->issuer == certificate.issuer &&
                read_back->serial == certificate.serial && read_back->not_before == certificate.not_before &&
                read_back->not_after == certificate.not_after,
            "a certificate's info.json is read back the same");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto certificate = parse_certificate(to_pem(data, size));
    if (!certificate)
        return 0;
    require(certificate->fingerprint.size() == 64 && is_hexadecimal(certificate->fingerprint), "a fingerprint is one");
    require(!certificate->serial.empty() && is_hexadecimal(certificate->serial), "a serial number is one");
    require(is_showable(certificate->issuer), "the issuer can be shown");
    for (const auto& name : certificate->names)
        require(is_showable(name), "a name can be shown");
    check_info(*certificate);
    return 0;
}
