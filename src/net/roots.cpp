#include "net/roots.hpp"

#include <algorithm>
#include <filesystem>
#include <openssl/x509.h>
#include <string>

namespace commento {
namespace {

/// "5ad8a5d6.0".
bool is_hash(const std::string& name) {
    constexpr std::size_t kDigits = 8;
    return name.size() > kDigits && name.find_first_not_of("0123456789abcdef") == kDigits && name[kDigits] == '.';
}

bool holds_hashes(const std::filesystem::path& folder) {
    std::error_code fault;
    const std::filesystem::directory_iterator entries(folder, fault);
    return !fault && std::any_of(begin(entries), end(entries),
                                 [](const auto& entry) { return is_hash(entry.path().filename()); });
}

} // namespace

const char* hashed_roots() {
    static const char* const folder = holds_hashes(X509_get_default_cert_dir()) ? X509_get_default_cert_dir() : nullptr;
    return folder;
}

} // namespace commento
