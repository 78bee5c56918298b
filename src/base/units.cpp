#include "base/units.hpp"

#include "base/hex.hpp"
#include "base/translate.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <poll.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

namespace commento {
namespace {

constexpr const char* kManager = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManagerInterface = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnitInterface = "org.freedesktop.systemd1.Unit";
constexpr const char* kServiceInterface = "org.freedesktop.systemd1.Service";
constexpr const char* kTimerInterface = "org.freedesktop.systemd1.Timer";
constexpr const char* kPrivateSocket = "unix:path=/run/systemd/private"; // root only; there without dbus.service
constexpr const char* kAlreadySubscribed = "org.freedesktop.systemd1.AlreadySubscribed";
constexpr const char* kNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";
constexpr std::uint64_t kMicroseconds = 1000000; // of a second

struct BusError {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    BusError() = default;
    ~BusError() { sd_bus_error_free(&error); }
    BusError(const BusError&) = delete;
    BusError& operator=(const BusError&) = delete;
};

struct Message {
    sd_bus_message* message = nullptr;
    Message() = default;
    ~Message() { sd_bus_message_unref(message); }
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;
};

struct Slot {
    sd_bus_slot* slot = nullptr;
    Slot() = default;
    ~Slot() { sd_bus_slot_unref(slot); }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
};

tl::unexpected<Error> refused(std::string_view action, const BusError& fault, int code) {
    const bool denied = code == -EACCES || code == -EPERM;
    const char* text = fault.error.message;
    return fail(denied ? ErrorCode::permission : ErrorCode::internal,
                tr("systemd did not {}: {}", action, text == nullptr ? fmt::format("error {}", -code) : text),
                denied ? tr("run as root: sudo") : tr("see systemctl status"));
}

/// The end of one job, filled in by the JobRemoved signal.
struct JobEnd {
    std::string path;
    std::string result;
};

int on_job_removed(sd_bus_message* signal, void* data, sd_bus_error* /*unused*/) {
    auto* end = static_cast<JobEnd*>(data);
    std::uint32_t id = 0;
    const char* path = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    if (sd_bus_message_read(signal, "uoss", &id, &path, &unit, &result) >= 0 && end->path == path)
        end->result = result;
    return 0;
}

/// Queues the job; returns its object path.
Result<std::string> call_job(sd_bus* bus, const char* method, const std::string& unit) {
    BusError fault;
    Message reply;
    const int code = sd_bus_call_method(bus, kManager, kManagerPath, kManagerInterface, method, &fault.error,
                                        &reply.message, "ss", unit.c_str(), "replace");
    const char* path = nullptr;
    if (code < 0 || sd_bus_message_read(reply.message, "o", &path) < 0)
        return refused(tr("accept {} of {}", method, unit), fault, code);
    return std::string(path);
}

/// Waits for the bus or for what else is watched, at most until the deadline.
void wait_for_event(sd_bus* bus, const Meanwhile& meanwhile, std::chrono::steady_clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    std::array<pollfd, 2> watched{pollfd{sd_bus_get_fd(bus), static_cast<short>(sd_bus_get_events(bus)), 0},
                                  pollfd{meanwhile.fd, POLLIN, 0}};
    const int ready = ::poll(watched.data(), watched.size(), std::max(static_cast<int>(left), 0));
    if (ready > 0 && watched[1].revents != 0)
        meanwhile.on_ready();
}

Result<void> wait_for_job(sd_bus* bus, const JobEnd& end, const Meanwhile& meanwhile,
                          std::chrono::steady_clock::time_point deadline) {
    while (end.result.empty()) {
        if (std::chrono::steady_clock::now() >= deadline)
            return fail(ErrorCode::internal, tr("the job of systemd did not end in time"),
                        tr("see systemctl list-jobs"));
        const int handled = sd_bus_process(bus, nullptr);
        if (handled < 0)
            return fail_errno(ErrorCode::internal, tr("lost the connection to systemd"), -handled);
        if (handled == 0)
            wait_for_event(bus, meanwhile, deadline);
    }
    return {};
}

std::string text_property(sd_bus* bus, const std::string& path, const char* interface, const char* name) {
    char* value = nullptr;
    if (sd_bus_get_property_string(bus, kManager, path.c_str(), interface, name, nullptr, &value) < 0)
        return {};
    std::string text(value);
    free(value); // NOLINT(cppcoreguidelines-no-malloc): sd-bus allocates it with malloc
    return text;
}

bool flag_property(sd_bus* bus, const std::string& path, const char* interface, const char* name) {
    int value = 0; // sd-bus reads a boolean into an int
    sd_bus_get_property_trivial(bus, kManager, path.c_str(), interface, name, nullptr, 'b', &value);
    return value != 0;
}

std::int64_t seconds_property(sd_bus* bus, const std::string& path, const char* interface, const char* name) {
    std::uint64_t value = 0;
    if (sd_bus_get_property_trivial(bus, kManager, path.c_str(), interface, name, nullptr, 't', &value) < 0)
        return 0;
    return value == UINT64_MAX ? 0 : static_cast<std::int64_t>(value / kMicroseconds);
}

int number_property(sd_bus* bus, const std::string& path, const char* interface, const char* name) {
    std::int32_t value = 0;
    sd_bus_get_property_trivial(bus, kManager, path.c_str(), interface, name, nullptr, 'i', &value);
    return value;
}

/// Name of the time stamp that was set when the unit came into this state; StateChangeTimestamp moves with `sub` too.
const char* timestamp_of(std::string_view active) {
    if (active == "active" || active == "reloading")
        return "ActiveEnterTimestamp";
    if (active == "activating")
        return "InactiveExitTimestamp";
    if (active == "deactivating")
        return "ActiveExitTimestamp";
    return "InactiveEnterTimestamp";
}

std::string invocation_of(sd_bus* bus, const std::string& path) {
    Message reply;
    const void* bytes = nullptr;
    std::size_t size = 0;
    if (sd_bus_get_property(bus, kManager, path.c_str(), kUnitInterface, "InvocationID", nullptr, &reply.message,
                            "ay") < 0 ||
        sd_bus_message_read_array(reply.message, 'y', &bytes, &size) < 0)
        return {};
    return to_hex({static_cast<const unsigned char*>(bytes), size});
}

/// Loads the unit; its object path.
Result<std::string> load(sd_bus* bus, const std::string& unit) {
    BusError fault;
    Message reply;
    const int code = sd_bus_call_method(bus, kManager, kManagerPath, kManagerInterface, "LoadUnit", &fault.error,
                                        &reply.message, "s", unit.c_str());
    const char* path = nullptr;
    if (code < 0 || sd_bus_message_read(reply.message, "o", &path) < 0)
        return refused(tr("show {}", unit), fault, code);
    return std::string(path);
}

int open_private(sd_bus** bus) {
    int code = sd_bus_new(bus);
    if (code >= 0)
        code = sd_bus_set_address(*bus, kPrivateSocket);
    if (code >= 0)
        code = sd_bus_start(*bus);
    if (code < 0)
        *bus = sd_bus_unref(*bus);
    return code;
}

} // namespace

void Units::Close::operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }

Result<Units> Units::connect() {
    sd_bus* bus = nullptr;
    int code = sd_bus_open_system(&bus);
    if (code < 0 && ::geteuid() == 0)
        code = open_private(&bus);
    if (code < 0)
        return fail_errno(ErrorCode::internal, tr("cannot reach systemd over D-Bus"), -code,
                          tr("is this a host that runs systemd, with the package dbus?"));
    return Units(std::unique_ptr<sd_bus, Close>(bus));
}

Result<UnitState> Units::state(const std::string& unit) {
    sd_bus* bus = bus_.get();
    COMMENTO_ASSIGN(const std::string path, load(bus, unit));
    const bool service = unit.ends_with(".service");
    const std::string active = text_property(bus, path, kUnitInterface, "ActiveState");
    return UnitState{text_property(bus, path, kUnitInterface, "LoadState"),
                     active,
                     text_property(bus, path, kUnitInterface, "SubState"),
                     text_property(bus, path, kUnitInterface, "UnitFileState"),
                     service ? text_property(bus, path, kServiceInterface, "Result") : "",
                     service ? number_property(bus, path, kServiceInterface, "ExecMainStatus") : 0,
                     seconds_property(bus, path, kUnitInterface, timestamp_of(active)),
                     invocation_of(bus, path),
                     flag_property(bus, path, kUnitInterface, "NeedDaemonReload")};
}

Result<TimerState> Units::timer(const std::string& unit) {
    COMMENTO_ASSIGN(const std::string path, load(bus_.get(), unit));
    return TimerState{seconds_property(bus_.get(), path, kTimerInterface, "LastTriggerUSec"),
                      seconds_property(bus_.get(), path, kTimerInterface, "NextElapseUSecRealtime")};
}

Result<std::map<std::uint32_t, std::string>> Units::processes(const std::string& unit) {
    BusError fault;
    Message reply;
    int code = sd_bus_call_method(bus_.get(), kManager, kManagerPath, kManagerInterface, "GetUnitProcesses",
                                  &fault.error, &reply.message, "s", unit.c_str());
    if (code >= 0)
        code = sd_bus_message_enter_container(reply.message, SD_BUS_TYPE_ARRAY, "(sus)");
    std::map<std::uint32_t, std::string> found;
    const char* group = nullptr;
    const char* command = nullptr;
    std::uint32_t id = 0;
    while (code >= 0 && (code = sd_bus_message_read(reply.message, "(sus)", &group, &id, &command)) > 0)
        found.emplace(id, command);
    if (code < 0)
        return refused(tr("list the processes of {}", unit), fault, code);
    return found;
}

Result<std::string> Units::run_job(const char* method, const std::string& unit, std::chrono::seconds limit,
                                   const Meanwhile& meanwhile) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    JobEnd end;
    Slot subscription;
    BusError fault;
    int code = sd_bus_match_signal(bus_.get(), &subscription.slot, kManager, kManagerPath, kManagerInterface,
                                   "JobRemoved", on_job_removed, &end);
    if (code >= 0)
        code = sd_bus_call_method(bus_.get(), kManager, kManagerPath, kManagerInterface, "Subscribe", &fault.error,
                                  nullptr, "");
    if (code < 0 && sd_bus_error_has_name(&fault.error, kAlreadySubscribed) == 0)
        return refused(tr("send the ends of its jobs"), fault, code);
    COMMENTO_ASSIGN(end.path, call_job(bus_.get(), method, unit));
    COMMENTO_CHECK(wait_for_job(bus_.get(), end, meanwhile, deadline));
    return end.result;
}

Result<void> Units::queue_job(const char* method, const std::string& unit) {
    COMMENTO_CHECK(call_job(bus_.get(), method, unit));
    return {};
}

Result<void> Units::reset_failed(const std::string& unit) {
    BusError fault;
    const int code = sd_bus_call_method(bus_.get(), kManager, kManagerPath, kManagerInterface, "ResetFailedUnit",
                                        &fault.error, nullptr, "s", unit.c_str());
    // A unit that is not loaded has nothing to forget.
    if (code < 0 && sd_bus_error_has_name(&fault.error, kNoSuchUnit) == 0)
        return refused(tr("reset {}", unit), fault, code);
    return {};
}

Result<void> Units::enable(const std::string& unit) {
    BusError fault;
    int code = sd_bus_call_method(bus_.get(), kManager, kManagerPath, kManagerInterface, "EnableUnitFiles",
                                  &fault.error, nullptr, "asbb", 1, unit.c_str(), 0, 0);
    if (code >= 0)
        code = sd_bus_call_method(bus_.get(), kManager, kManagerPath, kManagerInterface, "Reload", &fault.error,
                                  nullptr, "");
    if (code < 0)
        return refused(tr("enable {}", unit), fault, code);
    return {};
}

} // namespace commento
