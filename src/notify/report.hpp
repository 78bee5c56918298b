#pragma once
// What the operator is told, and its forms.

#include "base/error.hpp"

#include <cstdint>
#include <string>

namespace commento {

enum class Occasion { failed, well, test };

struct Report {
    Occasion occasion;
    std::string unit; ///< without its suffix
    std::string host;
    std::string site;      ///< its address
    std::int64_t when = 0; ///< seconds since 1970
    std::string ended;     ///< how the run ended: the exit status and what it means
    std::string message{}; ///< the error's; may be several lines
    std::string hint{};
    std::int64_t since = 0; ///< first of the failures on end
    int failures = 0;       ///< their number
    int exit_status = -1;   ///< -1: none
};

/// Lines of a text from elsewhere as they may be sent: printable, at most 20 of them.
std::string presentable(const std::string& text);

/// One line of ASCII: nothing of what was logged is in it.
std::string subject_of(const Report& report);

/// For people; lines that end with \n.
std::string body_of(const Report& report);

/// For programs and for chats: an object (commento-notify(8)).
std::string json_of(const Report& report);

} // namespace commento
