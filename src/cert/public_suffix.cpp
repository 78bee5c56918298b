#include "cert/public_suffix.hpp"

#include "base/library.hpp"

#include <libpsl.h>

namespace commento {
namespace {

constexpr const char* kName = "libpsl.so.5"; // its name in Debian and the Fedora family

struct Libpsl {
    decltype(&psl_builtin) builtin;
    decltype(&psl_registrable_domain) registrable_domain;
};

Libpsl load() {
    const Library library(kName);
    Libpsl psl{};
    library.find("psl_builtin", psl.builtin);
    library.find("psl_registrable_domain", psl.registrable_domain);
    return psl;
}

} // namespace

std::string find_registered_domain(const std::string& name) {
    static const Libpsl psl = load();
    const char* domain = psl.registrable_domain(psl.builtin(), name.c_str());
    return domain == nullptr ? name : domain;
}

} // namespace commento
