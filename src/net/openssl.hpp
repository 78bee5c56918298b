#pragma once
// OpenSSL's objects, freed with their owner.

#include <memory>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string_view>

namespace commento {

struct OpensslFree {
    void operator()(X509* object) const { X509_free(object); }
    void operator()(X509_STORE* object) const { X509_STORE_free(object); }
    void operator()(X509_STORE_CTX* object) const { X509_STORE_CTX_free(object); }
    void operator()(X509_REQ* object) const { X509_REQ_free(object); }
    void operator()(X509_EXTENSION* object) const { X509_EXTENSION_free(object); }
    void operator()(STACK_OF(X509) * object) const { sk_X509_pop_free(object, X509_free); }
    void operator()(STACK_OF(X509_EXTENSION) * object) const {
        sk_X509_EXTENSION_pop_free(object, X509_EXTENSION_free);
    }
    void operator()(GENERAL_NAMES* object) const { GENERAL_NAMES_free(object); }
    void operator()(EVP_PKEY* object) const { EVP_PKEY_free(object); }
    void operator()(PKCS8_PRIV_KEY_INFO* object) const { PKCS8_PRIV_KEY_INFO_free(object); }
    void operator()(EVP_MD_CTX* object) const { EVP_MD_CTX_free(object); }
    void operator()(ECDSA_SIG* object) const { ECDSA_SIG_free(object); }
    void operator()(BIO* object) const { BIO_free_all(object); }
    void operator()(BIGNUM* object) const { BN_free(object); }
    void operator()(SSL* object) const { SSL_free(object); }
    void operator()(SSL_CTX* object) const { SSL_CTX_free(object); }
    // Not OPENSSL_free(): that writes this file's path into the program, and two builds would differ.
    void operator()(char* object) const { CRYPTO_free(object, nullptr, 0); }
};

template <typename T>
using Owned = std::unique_ptr<T, OpensslFree>;

/// The first certificate of a PEM text; null when there is none.
Owned<X509> parse_x509(std::string_view pem);

} // namespace commento
