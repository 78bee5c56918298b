#pragma once
#include "base/error.hpp"
#include "net/openssl.hpp"

#include <string>
#include <string_view>

namespace commento {

/// A SHA-256 that is made piece by piece (FIPS 180-4).
class Sha256 {
  public:
    Sha256();
    void add(std::string_view piece);

    /// 64 lower-case hexadecimal digits; once only.
    std::string finish();

  private:
    Owned<EVP_MD_CTX> context_;
};

/// SHA-256 of an open file's whole content, 64 lower-case hexadecimal digits. Leaves the file at its beginning.
Result<std::string> sha256_of(int file);

} // namespace commento
