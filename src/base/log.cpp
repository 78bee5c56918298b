#include "base/log.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

namespace commento {

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
