#include "acme/key.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace commento {
namespace {

struct KeyType {
    std::string_view word;
    const char* algorithm; ///< EVP_KEYMGMT(7)
    const char* group;     ///< null: RSA
    int bits;
};

constexpr std::array kTypes{
    KeyType{"ecdsa-p256", "EC", "P-256", 256}, KeyType{"ecdsa-p384", "EC", "P-384", 384},
    KeyType{"rsa-2048", "RSA", nullptr, 2048}, KeyType{"rsa-3072", "RSA", nullptr, 3072},
    KeyType{"rsa-4096", "RSA", nullptr, 4096},
};

EVP_PKEY* generate(const KeyType& type) {
    if (type.group != nullptr)
        return EVP_EC_gen(type.group);
    return EVP_RSA_gen(static_cast<unsigned int>(type.bits));
}

/// In place of OpenSSL's own, which asks for the passphrase on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) { return -1; }

} // namespace

Result<PrivateKey> make_key(std::string_view word) {
    const auto* type = std::ranges::find(kTypes, word, &KeyType::word);
    if (type == kTypes.end())
        return fail(ErrorCode::internal, fmt::format("{} is no type of key", word));
    PrivateKey key(generate(*type));
    if (!key)
        return fail(ErrorCode::internal, fmt::format("OpenSSL makes no {} key", word));
    return key;
}

std::string_view type_of(const EVP_PKEY* key) {
    const auto* type = std::ranges::find_if(kTypes, [key](const KeyType& candidate) {
        return EVP_PKEY_is_a(key, candidate.algorithm) == 1 && EVP_PKEY_get_bits(key) == candidate.bits;
    });
    return type == kTypes.end() ? std::string_view{} : type->word;
}

std::string to_pem(const EVP_PKEY* key) {
    const Owned<BIO> target(BIO_new(BIO_s_secmem()));
    PEM_write_bio_PKCS8PrivateKey(target.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(target.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

PrivateKey parse_key(std::string_view pem) {
    const Owned<BIO> source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    // PKCS #8, which is what to_pem() writes, names the algorithm first, and OpenSSL 3 then tries one decoder. For
    // other forms it sets up all that it has, which takes several times as long (measured).
    const Owned<PKCS8_PRIV_KEY_INFO> info(
        PEM_read_bio_PKCS8_PRIV_KEY_INFO(source.get(), nullptr, no_passphrase, nullptr));
    if (info)
        return PrivateKey(EVP_PKCS82PKEY(info.get()));
    BIO_reset(source.get());
    return PrivateKey(PEM_read_bio_PrivateKey(source.get(), nullptr, no_passphrase, nullptr));
}

} // namespace commento
