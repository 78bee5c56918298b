#pragma once
// A shared library that is loaded at its first use, because most runs need nothing of it.

#include <dlfcn.h>
#include <stdexcept>

namespace commento {

class Library {
  public:
    /// Stays loaded until the process ends. Throws std::runtime_error where it is not there: the package depends on it.
    explicit Library(const char* name) : handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) { require(handle_); }

    /// Finds the function of that name; throws as above.
    template <typename Function>
    void find(const char* name, Function*& function) const {
        void* symbol = ::dlsym(handle_, name);
        require(symbol);
        function = reinterpret_cast<Function*>(symbol);
    }

  private:
    static void require(const void* found) {
        if (found == nullptr)
            throw std::runtime_error(::dlerror());
    }

    void* handle_;
};

} // namespace commento
