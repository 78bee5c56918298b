#include "ctl/output.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>

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

std::string harmless(std::string_view text) {
    std::string clean(text);
    std::ranges::replace_if(
        clean, [](unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }, '?');
    return clean;
}

} // namespace commento
