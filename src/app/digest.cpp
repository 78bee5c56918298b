#include "app/digest.hpp"

#include "base/hex.hpp"
#include "net/openssl.hpp"

#include <array>
#include <cerrno>
#include <openssl/evp.h>
#include <unistd.h>
#include <vector>

namespace commento {

Result<std::string> sha256_of(int file) {
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1)
        return fail(ErrorCode::internal, "OpenSSL has no SHA-256");
    constexpr std::size_t kBlock = 1U << 18U;
    std::vector<char> buffer(kBlock);
    ::lseek(file, 0, SEEK_SET);
    while (true) {
        const ssize_t got = ::read(file, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(ErrorCode::storage, "cannot read the archive", errno);
        if (got == 0)
            break;
        EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(got));
    }
    ::lseek(file, 0, SEEK_SET);
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context.get(), sum.data(), &length);
    return to_hex(std::span(sum).first(length));
}

} // namespace commento
