#include "log.hpp"

#include <array>
#include <ctime>
#include <string>
#include <unistd.h>

namespace standin {

namespace {

std::string_view name_of(Level level) {
    switch (level) {
    case Level::info:
        return "INFO";
    case Level::warning:
        return "WARNING";
    case Level::error:
        return "ERROR";
    }
    return "";
}

std::string local_time() {
    const std::time_t now = std::time(nullptr);
    std::tm parts = {};
    localtime_r(&now, &parts);
    std::array<char, 32> text = {};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y/%m/%d %H:%M:%S", &parts)};
}

// "void standin::serve(const App &)" -> "serve"
std::string_view short_function_name(std::string_view signature) {
    const std::string_view name = signature.substr(0, signature.find('('));
    return name.substr(name.find_last_of(": *&") + 1);
}

std::string_view short_file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

} // namespace

void log(Level level, std::string_view message, std::source_location where) {
    std::string line = local_time();
    line.append(" [").append(name_of(level)).append("] ");
    line.append(short_file_name(where.file_name())).append(":").append(std::to_string(where.line())).append(" ");
    line.append(short_function_name(where.function_name())).append("(): ").append(message).append("\n");
    // One write per line: lines of concurrent requests never mix. There is nowhere to report a failure to.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

} // namespace standin
