#pragma once
// systemd's units over D-Bus (org.freedesktop.systemd1(5)). Failures are ErrorCode::internal; ErrorCode::permission
// where the manager refuses the caller.

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct sd_bus;

namespace commento {

struct UnitState {
    std::string load;       ///< loaded, not-found, masked …
    std::string active;     ///< active, inactive, failed, activating …
    std::string sub;        ///< running, exited, waiting, auto-restart …
    std::string enabled;    ///< enabled, disabled, static …: whether it starts at boot
    std::string result;     ///< of a service: success, exit-code, timeout …; else empty
    int exit_status;        ///< of a service's main process, when `result` is exit-code; else of no meaning
    std::int64_t since;     ///< seconds since 1970 of the last change of `active`; 0 when there was none
    std::string invocation; ///< hexadecimal id of the last run, for the journal; empty when there was none
    bool is_stale = false;  ///< its files have changed since the manager read them
};

/// A timer's last and next run, in seconds since 1970; 0 when there is none.
struct TimerState {
    std::int64_t last;
    std::int64_t next;
};

/// What to do while a job runs: `on_ready` is called whenever `fd` has something to read.
struct Meanwhile {
    int fd;
    std::function<void()> on_ready;
};

class Units {
  public:
    /// Connects to the system manager: over the system bus or, for root, over its private socket.
    static Result<Units> connect();

    Result<UnitState> state(const std::string& unit);

    Result<TimerState> timer(const std::string& unit);

    /// The processes of a unit: their ids, and their command lines, or the titles that they gave themselves, in quotes.
    Result<std::map<std::uint32_t, std::string>> processes(const std::string& unit);

    /// Queues a job and waits until it is done. `method` is StartUnit, RestartUnit, StopUnit or ReloadUnit. The value
    /// is the job's result: done, failed, dependency, timeout, canceled or skipped.
    Result<std::string> run_job(const char* method, const std::string& unit, std::chrono::seconds limit,
                                const Meanwhile& meanwhile = {-1, {}});

    /// Queues a job and does not wait for it, for callers that the job is ordered after.
    Result<void> queue_job(const char* method, const std::string& unit);

    /// Forgets a unit's failure and how often it was started of late (StartLimitBurst=, systemd.unit(5)).
    Result<void> reset_failed(const std::string& unit);

    /// Enables a unit as `systemctl enable` does, and lets the manager read its files again.
    Result<void> enable(const std::string& unit);

  private:
    struct Close {
        void operator()(sd_bus* bus) const;
    };
    explicit Units(std::unique_ptr<sd_bus, Close> bus) : bus_(std::move(bus)) {}
    std::unique_ptr<sd_bus, Close> bus_;
};

} // namespace commento
