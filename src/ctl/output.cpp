#include "ctl/output.hpp"

#include <cerrno>
#include <cstdio>

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

bool was_heard() { return std::ferror(stdout) == 0; }

} // namespace commento
