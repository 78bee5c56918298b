#include "net/openssl.hpp"

#include <openssl/pem.h>

namespace commento {

Owned<X509> parse_x509(std::string_view pem) {
    const Owned<BIO> source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return Owned<X509>(PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr));
}

} // namespace commento
