#pragma once
// What went wrong in the last runs, on disk, so that an authority is left alone as long as it should be across runs
// and reboots. One record for each certificate and authority: none holds back another.

#include "base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

/// What a certificate is asked for with. Failures count only for the settings that they happened with.
struct Request {
    std::string directory;
    std::vector<std::string> names;
    std::string email;
    std::string profile; ///< ACME_PROFILE
    /// The settings by which it is proved and signed in with, by their keys.
    std::map<std::string, std::string> means;

    bool operator==(const Request&) const = default;
};

struct Failure {
    Request request;
    int failures;           ///< in a row
    int refusals;           ///< those of them that cost the authority something
    std::int64_t failed_at; ///< seconds since 1970
    std::int64_t next_try;  ///< seconds since 1970; not before this, unless the settings change
    std::string message;    ///< of the last failure
};

/// Seconds to leave an authority alone after this many refusals in a row: five minutes, doubled up to a day; longer
/// where it asked for longer.
std::int64_t pause_after(int refusals, std::optional<std::int64_t> retry_after);

/// Whether the next try is not due yet. A failure from the future (the clock was put back) holds nothing back.
bool holds_back(const Failure& failure, std::int64_t now);

/// Whether the authority has failed so often that another one is to be asked.
bool is_persistent(const Failure& failure);

/// All that is on disk in a certificate's folder of state.
std::vector<Failure> all_failures(const std::filesystem::path& folder);

/// The last failure with these settings.
std::optional<Failure> last_failure(const std::filesystem::path& folder, const Request& request);

/// Takes the place of what was known of that authority.
Result<void> remember(const std::filesystem::path& folder, const Failure& failure);

Result<void> forget_failures(const std::filesystem::path& folder);

} // namespace commento
