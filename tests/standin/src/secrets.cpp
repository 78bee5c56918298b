#include "secrets.hpp"

#include <array>
#include <crypt.h>
#include <memory>
#include <stdexcept>
#include <unistd.h>

namespace standin {

namespace {

std::string crypt_with(const std::string& password, const std::string& setting) {
    // Too large for the stack of a connection's thread.
    const auto room = std::make_unique<crypt_data>();
    const char* hash = crypt_r(password.c_str(), setting.c_str(), room.get());
    return hash == nullptr ? "" : hash;
}

} // namespace

std::string random_hex() {
    std::array<unsigned char, 32> bytes = {};
    if (getentropy(bytes.data(), bytes.size()) != 0) {
        throw std::runtime_error("the system has no random numbers");
    }
    constexpr const char* digits = "0123456789abcdef";
    std::string hex;
    for (const unsigned char byte : bytes) {
        hex += digits[byte >> 4];
        hex += digits[byte & 15];
    }
    return hex;
}

std::string hash_password(const std::string& password) {
    std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting = {};
    if (crypt_gensalt_rn("$2a$", 10, nullptr, 0, setting.data(), static_cast<int>(setting.size())) == nullptr) {
        throw std::runtime_error("no salt for a password");
    }
    return crypt_with(password, setting.data());
}

bool password_matches(const std::string& password, const std::string& hash) {
    return !hash.empty() && crypt_with(password, hash) == hash;
}

} // namespace standin
