#include "base/log.hpp"

#include "base/fd.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

namespace commento {
namespace {

/// Returns when journald has accepted a new connection; at once where there is no journald.
void knock_at_journal() {
    constexpr int kLimit = 1000; // milliseconds
    sockaddr_un address{AF_UNIX, "/run/systemd/journal/stdout"};
    const Fd stream(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(stream.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        return;
    ::shutdown(stream.get(), SHUT_WR);
    pollfd closed{stream.get(), POLLIN, 0};
    ::poll(&closed, 1, kLimit);
}

} // namespace

bool logs_to_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM"); // NOLINT(concurrency-mt-unsafe)
    struct stat status {};
    return stream != nullptr && ::fstat(STDERR_FILENO, &status) == 0 &&
           fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

void set_up_log(std::string_view program) {
    const std::string name(program);
    spdlog::sink_ptr sink;
    if (logs_to_journal()) {
        sink = std::make_shared<spdlog::sinks::systemd_sink_mt>(name);
    } else {
        sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
        sink->set_pattern("%^%l%$: %v");
    }
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(name, std::move(sink)));
}

void settle_log() {
    if (!logs_to_journal())
        return;
    // journald serves its sockets in the order in which it found them ready. It may find the first connection together
    // with an entry and take it first; when it takes the second one, the entry is done.
    knock_at_journal();
    knock_at_journal();
}

void report(const Error& error) {
    if (!logs_to_journal()) {
        spdlog::error("{}", error.message);
        if (!error.hint.empty())
            fmt::print(stderr, "hint: {}\n", error.hint);
        return;
    }
    const std::string text =
        error.hint.empty() ? error.message : fmt::format("{}\nhint: {}", error.message, error.hint);
    const std::string_view code = name_of(error.code);
    sd_journal_send("MESSAGE=%s", text.c_str(), "PRIORITY=%i", LOG_ERR,                //
                    "SYSLOG_IDENTIFIER=%s", spdlog::default_logger()->name().c_str(),  //
                    "COMMENTO_ERROR=%.*s", static_cast<int>(code.size()), code.data(), //
                    "COMMENTO_HINT=%s", error.hint.c_str(),                            //
                    "EXIT_STATUS=%i", static_cast<int>(error.code), nullptr);
}

} // namespace commento
