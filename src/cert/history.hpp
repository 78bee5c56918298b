#pragma once
// What went wrong in the last runs, on disk, so that an authority is left alone as long as it should be across runs
// and reboots.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace commento {

/// What a certificate is asked for with. Failures count only for the settings that they happened with.
struct Request {
    std::string directory;
    std::string domain;
    std::string email;

    bool operator==(const Request&) const = default;
};

struct Failure {
    Request request;
    int refusals;           ///< in a row; failures that cost the authority something
    std::int64_t failed_at; ///< seconds since 1970
    std::int64_t next_try;  ///< seconds since 1970; not before this, unless the settings change
    std::string message;    ///< of the last failure
};

/// The seconds that a Retry-After header (RFC 9110, 10.2.3: a number of seconds or a date) asks for; at most a week,
/// the longest of Let's Encrypt's limits. Nothing where it is neither, or past.
std::optional<std::int64_t> parse_retry_after(std::string_view header, std::int64_t now);

/// Seconds to leave an authority alone after this many refusals in a row: five minutes, doubled up to a day; longer
/// where it asked for longer.
std::int64_t pause_after(int refusals, std::optional<std::int64_t> retry_after);

/// Whether the next try is not due yet. A failure from the future (the clock was put back) holds nothing back.
bool holds_back(const Failure& failure, std::int64_t now);

/// The last failure with these settings.
std::optional<Failure> last_failure(const Paths& paths, const Request& request);

Result<void> remember(const Paths& paths, const Failure& failure);
Result<void> forget_failures(const Paths& paths);

} // namespace commento
