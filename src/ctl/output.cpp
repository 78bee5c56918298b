#include "ctl/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace commento {

void say(std::string_view line) {
    (void)std::fwrite(line.data(), 1, line.size(), stdout);
    (void)std::fputc('\n', stdout);
    if (std::fflush(stdout) != 0 && errno == EPIPE)
        std::clearerr(stdout);
}

void draw(std::string_view line) {
    (void)std::fputc('\r', stdout);
    (void)std::fwrite(line.data(), 1, line.size(), stdout);
    (void)std::fflush(stdout);
}

bool is_obeyed() {
    constexpr std::string_view kObeysNothing = "dumb"; // terminfo(5) has it, with a line feed and no sequences
    const char* kind = std::getenv("TERM");
    return ::isatty(STDOUT_FILENO) == 1 && kind != nullptr && *kind != '\0' && kind != kObeysNothing;
}

bool was_heard() { return std::ferror(stdout) == 0; }

} // namespace commento
