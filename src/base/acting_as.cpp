#include "base/acting_as.hpp"

#include "base/translate.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>
#include <utility>

namespace commento {

Result<ActingAs> ActingAs::user(const std::string& name) {
    const passwd* entry = ::getpwnam(name.c_str()); // NOLINT(concurrency-mt-unsafe): there is one thread
    if (entry == nullptr)
        return fail(ErrorCode::permission, tr("there is no user {}", name));
    if (::seteuid(entry->pw_uid) != 0)
        return fail_errno(ErrorCode::permission, tr("cannot act as user {}", name), errno, tr("only root can"));
    return ActingAs(true);
}

ActingAs::ActingAs(ActingAs&& other) noexcept : active_(std::exchange(other.active_, false)) {}

ActingAs::~ActingAs() {
    if (active_ && ::seteuid(::getuid()) != 0)
        ::_exit(static_cast<int>(ErrorCode::permission)); // never go on as somebody else
}

} // namespace commento
