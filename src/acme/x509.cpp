#include "acme/x509.hpp"

#include "base/hex.hpp"
#include "config/keys.hpp"

#include <fmt/format.h>
#include <initializer_list>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <span>
#include <utility>

namespace commento {
namespace {

constexpr const char* kOrganization = "commento-stack";

/// Names and values as in x509v3_config(5).
using Extensions = std::initializer_list<std::pair<const char*, std::string>>;

bool add_extensions(X509* certificate, const Extensions& extensions) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    for (const auto& [name, value] : extensions) {
        const Owned<X509_EXTENSION> extension(X509V3_EXT_conf(nullptr, &context, name, value.c_str()));
        if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1)
            return false;
    }
    return true;
}

/// subjectAltName as OpenSSL's configuration language has it (x509v3_config(5)).
std::string alternative_names(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text += fmt::format("{}{}:{}", text.empty() ? "" : ",", is_ip_address(name) ? "IP" : "DNS", name);
    return text;
}

bool set_random_serial(X509* certificate) {
    constexpr int kBits = 127; // positive, and at most 20 octets (RFC 5280, 4.1.2.2)
    const Owned<BIGNUM> number(BN_new());
    return BN_rand(number.get(), kBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_name_part(X509_NAME* name, int nid, const std::string& text) {
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
}

/// The same name for subject and issuer: that makes it self-signed.
bool set_names(X509* certificate, const std::string& domain) {
    X509_NAME* name = X509_get_subject_name(certificate);
    // A common name holds 64 characters (RFC 5280, ub-common-name); a DNS name may be longer.
    const bool fits = domain.size() <= ub_common_name;
    return add_name_part(name, NID_organizationName, kOrganization) &&
           (!fits || add_name_part(name, NID_commonName, domain)) && X509_set_issuer_name(certificate, name) == 1;
}

bool set_validity(X509* certificate, std::chrono::seconds lifetime) {
    constexpr std::chrono::hours kSkew{1}; // clients' clocks may be late
    return X509_gmtime_adj(X509_getm_notBefore(certificate), -std::chrono::seconds(kSkew).count()) != nullptr &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), lifetime.count()) != nullptr;
}

Result<std::string> sign_self(EVP_PKEY* key, const std::string& name, std::chrono::seconds lifetime,
                              const Extensions& extensions) {
    const Owned<X509> certificate(X509_new());
    const bool made = X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                      set_random_serial(certificate.get()) && set_names(certificate.get(), name) &&
                      set_validity(certificate.get(), lifetime) && X509_set_pubkey(certificate.get(), key) == 1 &&
                      add_extensions(certificate.get(), extensions) &&
                      X509_sign(certificate.get(), key, EVP_sha256()) > 0;
    if (!made)
        return fail(ErrorCode::internal, "cannot make a self-signed certificate for " + name);
    const Owned<BIO> target(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(target.get(), certificate.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(target.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

} // namespace

Result<std::string> make_request(EVP_PKEY* key, const std::vector<std::string>& names) {
    const Owned<X509_REQ> request(X509_REQ_new());
    const Owned<STACK_OF(X509_EXTENSION)> extensions(sk_X509_EXTENSION_new_null());
    X509_EXTENSION* extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternative_names(names).c_str());
    const bool made = extension != nullptr && sk_X509_EXTENSION_push(extensions.get(), extension) > 0 &&
                      X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
                      X509_REQ_add_extensions(request.get(), extensions.get()) == 1 &&
                      X509_REQ_set_pubkey(request.get(), key) == 1 &&
                      X509_REQ_sign(request.get(), key, EVP_sha256()) > 0;
    if (!made)
        return fail(ErrorCode::internal, "cannot make a certificate request for " + names.front());
    std::string der(static_cast<std::size_t>(i2d_X509_REQ(request.get(), nullptr)), '\0');
    auto* target = reinterpret_cast<unsigned char*>(der.data());
    i2d_X509_REQ(request.get(), &target);
    return der;
}

Result<std::string> make_self_signed(EVP_PKEY* key, const std::vector<std::string>& names,
                                     std::chrono::seconds lifetime) {
    const bool rsa = EVP_PKEY_is_a(key, "RSA") == 1;
    return sign_self(key, names.front(), lifetime,
                     {{SN_subject_alt_name, alternative_names(names)},
                      {SN_basic_constraints, "critical,CA:FALSE"},
                      {SN_key_usage, rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature"},
                      {SN_ext_key_usage, "serverAuth"},
                      {SN_subject_key_identifier, "hash"}});
}

Result<std::string> make_proof(EVP_PKEY* key, const std::string& name, std::string_view digest) {
    constexpr std::chrono::hours kLifetime{1};
    constexpr const char* kAcmeIdentifier = "1.3.6.1.5.5.7.1.31"; // RFC 8737, 6.1
    const std::span bytes(reinterpret_cast<const unsigned char*>(digest.data()), digest.size());
    return sign_self(key, name, kLifetime,
                     {{SN_subject_alt_name, alternative_names({name})},
                      {kAcmeIdentifier, "critical,DER:0420" + to_hex(bytes)}}); // an OCTET STRING of 32 bytes
}

} // namespace commento
