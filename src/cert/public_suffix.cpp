#include "cert/public_suffix.hpp"

#include <dlfcn.h>
#include <libpsl.h>
#include <stdexcept>

namespace commento {
namespace {

constexpr const char* kName = "libpsl.so.5"; // its name in Debian and the Fedora family

template <typename Function>
Function find(void* library, const char* name) {
    auto* function = reinterpret_cast<Function>(::dlsym(library, name));
    if (function == nullptr)
        throw std::runtime_error(::dlerror());
    return function;
}

void* load() {
    void* library = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr)
        throw std::runtime_error(::dlerror());
    return library;
}

} // namespace

std::string find_registered_domain(const std::string& name) {
    static void* const library = load();
    const auto builtin = find<decltype(&psl_builtin)>(library, "psl_builtin");
    const auto registrable = find<decltype(&psl_registrable_domain)>(library, "psl_registrable_domain");
    const char* domain = registrable(builtin(), name.c_str());
    return domain == nullptr ? name : domain;
}

} // namespace commento
