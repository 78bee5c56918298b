#include "net/digest.hpp"

#include "base/hex.hpp"
#include "base/translate.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <unistd.h>
#include <vector>

namespace commento {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
        throw std::runtime_error(tr("OpenSSL has no SHA-256"));
}

void Sha256::add(std::string_view piece) { EVP_DigestUpdate(context_.get(), piece.data(), piece.size()); }

std::string Sha256::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context_.get(), sum.data(), &length);
    return to_hex(std::span(sum).first(length));
}

Result<std::string> sha256_of(int file) {
    Sha256 sum;
    constexpr std::size_t kBlock = 1U << 18U;
    std::vector<char> buffer(kBlock);
    ::lseek(file, 0, SEEK_SET);
    while (true) {
        const ssize_t got = ::read(file, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(ErrorCode::storage, tr("cannot read the archive"), errno);
        if (got == 0)
            break;
        sum.add({buffer.data(), static_cast<std::size_t>(got)});
    }
    ::lseek(file, 0, SEEK_SET);
    return sum.finish();
}

} // namespace commento
