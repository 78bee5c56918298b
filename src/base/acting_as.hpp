#pragma once
#include "base/error.hpp"

#include <string>

namespace commento {

/// Makes root's process a user's as long as it lives: peer authentication looks at the effective user (SO_PEERCRED,
/// unix(7)), and at the moment of connecting only. Not across threads that must not be.
class ActingAs {
  public:
    /// ErrorCode::permission where this process may not become that user, or there is none.
    static Result<ActingAs> user(const std::string& name);

    ActingAs(ActingAs&& other) noexcept;
    ActingAs(const ActingAs&) = delete;
    ActingAs& operator=(const ActingAs&) = delete;
    ActingAs& operator=(ActingAs&&) = delete;
    ~ActingAs();

  private:
    explicit ActingAs(bool active) : active_(active) {}
    bool active_;
};

} // namespace commento
