#pragma once
// What `commentoctl doctor` looks at: checks of one thing each, with what they saw and the command that mends it.

#include "ctl/facts.hpp"
#include "ctl/remedy.hpp"
#include "net/http.hpp"
#include "proof/dns_client.hpp"

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace commento {

enum class Level {
    ok,
    warning, ///< works, and won't for ever, or not for everybody
    fault,
    skipped ///< does not apply to this host, or can't be found out; `saw` says why
};

struct Finding {
    Level level;
    std::string saw;
    Remedy remedy{};
};

/// What the checks look at, found out once and only when asked for.
class CheckedHost {
  public:
    explicit CheckedHost(const Paths& paths);
    /// With settings that are not in place yet.
    CheckedHost(const Paths& paths, Settings candidate);

    const Paths& paths() const { return paths_; }
    const Settings& settings();
    const Facts& facts();
    Result<Units>& units();

    /// Our units as they were when this was asked first, by their names; no templates.
    const std::map<std::string, UnitState>& unit_states();

    /// What `commento-cert list` and `commento-db backup list` print.
    const Result<nlohmann::json>& certificates();
    const Result<nlohmann::json>& backups();

    /// The answer for the directory of the ACME authority (RFC 8555, 7.1.1).
    const Result<HttpResponse>& directory();
    std::int64_t directory_asked_at() const { return directory_asked_at_; } ///< seconds since 1970

    /// What the host's resolvers say. ErrorCode::network where none of them does; they are not asked again then.
    Result<DnsAnswer> ask_dns(const std::string& name, RecordType type);

  private:
    const Paths& paths_;
    std::optional<Settings> candidate_{};
    std::optional<Facts> facts_{};
    std::optional<Result<Units>> units_{};
    std::optional<std::map<std::string, UnitState>> unit_states_{};
    std::optional<Result<nlohmann::json>> certificates_{};
    std::optional<Result<nlohmann::json>> backups_{};
    std::optional<Result<HttpResponse>> directory_{};
    std::int64_t directory_asked_at_ = 0;
    std::optional<std::vector<DnsServer>> resolvers_{};
    std::map<std::pair<std::string, RecordType>, DnsAnswer> answers_{};
    std::optional<Error> mute_{};
};

struct Check {
    const char* name; ///< GROUP.THING, as the command line takes it
    const char* title;
    Finding (*look)(CheckedHost&);
};

// By file: check_settings.cpp, check_names.cpp, check_host.cpp, check_web.cpp, check_certificate.cpp, check_data.cpp,
// check_units.cpp.
std::span<const Check> settings_checks();
std::span<const Check> name_checks();
std::span<const Check> host_checks();
std::span<const Check> free_port_checks();
std::span<const Check> web_checks();
std::span<const Check> certificate_checks();
std::span<const Check> data_checks();
std::span<const Check> unit_checks();

/// What stands before the dot of its name.
std::string group_of(const Check& check);

/// All of them, in the order in which they are shown; those of a group follow each other.
std::vector<Check> all_checks();

/// What can be known before anything is started: whether the names lead here, and whether the ports can be had.
std::vector<Check> checks_before_start();

/// Those of a group or a single one, by their names. ErrorCode::settings for a word that is neither.
Result<std::vector<Check>> checks_named(const std::vector<std::string>& words);

inline Finding ok(std::string saw) { return {Level::ok, std::move(saw)}; }
inline Finding skipped(std::string why) { return {Level::skipped, std::move(why)}; }
inline Finding warning(std::string saw, Remedy remedy) { return {Level::warning, std::move(saw), std::move(remedy)}; }
inline Finding fault(std::string saw, Remedy remedy) { return {Level::fault, std::move(saw), std::move(remedy)}; }

} // namespace commento
