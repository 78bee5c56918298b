#include "base/units.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

namespace commento {
namespace {

constexpr const char* kManager = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManagerInterface = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnitInterface = "org.freedesktop.systemd1.Unit";
constexpr const char* kServiceInterface = "org.freedesktop.systemd1.Service";
constexpr std::int64_t kMicroseconds = 1000000;

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
                fmt::format("systemd did not {}: {}", action, text == nullptr ? fmt::format("error {}", -code) : text),
                denied ? "run as root: sudo" : "see systemctl status");
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
        return refused(fmt::format("accept {} of {}", method, unit), fault, code);
    return std::string(path);
}

Result<void> wait_for_job(sd_bus* bus, const JobEnd& end, std::chrono::steady_clock::time_point deadline) {
    while (end.result.empty()) {
        const auto left =
            std::chrono::duration_cast<std::chrono::microseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            return fail(ErrorCode::internal, "the job of systemd did not end in time", "see systemctl list-jobs");
        const int handled = sd_bus_process(bus, nullptr);
        if (handled < 0)
            return fail_errno(ErrorCode::internal, "lost the connection to systemd", -handled);
        if (handled == 0)
            sd_bus_wait(bus, static_cast<std::uint64_t>(left.count()));
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

std::int64_t seconds_property(sd_bus* bus, const std::string& path, const char* name) {
    std::uint64_t value = 0;
    if (sd_bus_get_property_trivial(bus, kManager, path.c_str(), kUnitInterface, name, nullptr, 't', &value) < 0)
        return 0;
    return static_cast<std::int64_t>(value) / kMicroseconds;
}

std::string invocation_of(sd_bus* bus, const std::string& path) {
    Message reply;
    const void* bytes = nullptr;
    std::size_t size = 0;
    if (sd_bus_get_property(bus, kManager, path.c_str(), kUnitInterface, "InvocationID", nullptr, &reply.message,
                            "ay") < 0 ||
        sd_bus_message_read_array(reply.message, 'y', &bytes, &size) < 0)
        return {};
    std::string hex;
    for (std::size_t i = 0; i < size; ++i)
        hex += fmt::format("{:02x}", static_cast<const unsigned char*>(bytes)[i]);
    return hex;
}

} // namespace

void Units::Close::operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }

Result<Units> Units::connect() {
    sd_bus* bus = nullptr;
    int code = sd_bus_open_system(&bus);
    if (code < 0)
        return fail_errno(ErrorCode::internal, "cannot reach systemd over D-Bus", -code,
                          "is this a host that runs systemd, with the package dbus?");
    return Units(std::unique_ptr<sd_bus, Close>(bus));
}

Result<UnitState> Units::state(const std::string& unit) {
    BusError fault;
    Message reply;
    const int code = sd_bus_call_method(bus_.get(), kManager, kManagerPath, kManagerInterface, "LoadUnit", &fault.error,
                                        &reply.message, "s", unit.c_str());
    const char* found = nullptr;
    if (code < 0 || sd_bus_message_read(reply.message, "o", &found) < 0)
        return refused(fmt::format("show {}", unit), fault, code);
    const std::string path = found;
    sd_bus* bus = bus_.get();
    return UnitState{text_property(bus, path, kUnitInterface, "LoadState"),
                     text_property(bus, path, kUnitInterface, "ActiveState"),
                     text_property(bus, path, kUnitInterface, "SubState"),
                     unit.ends_with(".service") ? text_property(bus, path, kServiceInterface, "Result") : "",
                     seconds_property(bus, path, "StateChangeTimestamp"),
                     invocation_of(bus, path)};
}

Result<std::string> Units::run_job(const char* method, const std::string& unit, std::chrono::seconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    JobEnd end;
    Slot subscription;
    BusError fault;
    int code = sd_bus_match_signal(bus_.get(), &subscription.slot, kManager, kManagerPath, kManagerInterface,
                                   "JobRemoved", on_job_removed, &end);
    if (code >= 0)
        code = sd_bus_call_method(bus_.get(), kManager, kManagerPath, kManagerInterface, "Subscribe", &fault.error,
                                  nullptr, "");
    if (code < 0)
        return refused("send the ends of its jobs", fault, code);
    COMMENTO_ASSIGN(end.path, call_job(bus_.get(), method, unit));
    COMMENTO_CHECK(wait_for_job(bus_.get(), end, deadline));
    return end.result;
}

Result<void> Units::queue_job(const char* method, const std::string& unit) {
    COMMENTO_CHECK(call_job(bus_.get(), method, unit));
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
        return refused(fmt::format("enable {}", unit), fault, code);
    return {};
}

} // namespace commento
