// Keys of accounts as certbot keeps them.

#include "acme/jwk.hpp"
#include "acme/jose.hpp"
#include "acme/json.hpp"
#include "property.hpp"

using namespace commento;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto object = parse_object(text_of(data, size));
    const PrivateKey key = object ? parse_jwk(*object) : nullptr;
    if (!key)
        return 0;
    require(can_sign(key.get()), "a key can be used");
    const auto written = private_jwk(key.get());
    const PrivateKey read_back = parse_jwk(written);
    require(read_back && EVP_PKEY_eq(key.get(), read_back.get()) == 1, "a written key is read back the same");
    require(sign_jws(key.get(), {{"nonce", "n"}}, "{}").has_value(), "a key signs");
    return 0;
}
