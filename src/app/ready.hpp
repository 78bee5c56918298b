#pragma once
// Whether the application answers.

#include "base/error.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace commento {

// The application gives up on its database after 50 s.
inline constexpr std::chrono::seconds kUsualPatience{75};

/// Returns when the application on the local `port` answers: the page /login, and a read-only API call that
/// goes through the database (APP-CONTRACT, HTTP), both below the path `base` of its address. With its process id it
/// ends at once when that process ends, or when the port belongs to another user's program. ErrorCode::application
/// otherwise, when `patience` is over. `unit` is whose journal tells more.
Result<void> wait_until_ready(int port, std::string_view base, std::optional<pid_t> process,
                              std::chrono::seconds patience = kUsualPatience,
                              const std::string& unit = "commento.service");

/// The user who listens on 127.0.0.1:`port` (or on every IPv4 address), from the text of /proc/net/tcp
/// (proc_pid_net(5)).
std::optional<uid_t> listener(std::string_view table, int port);

} // namespace commento
