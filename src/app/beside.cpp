#include "app/beside.hpp"

#include "app/environment.hpp"
#include "base/fd.hpp"
#include "base/files.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolder = 0755;
constexpr mode_t kFile = 0644;

bool is_free(int port) {
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1; // as the application does it: a connection that has just ended does not count
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
           ::listen(socket.get(), 1) == 0;
}

} // namespace

Result<int> free_port_above(int port) {
    constexpr int kTries = 100;
    constexpr int kLargest = 65535;
    // Not the kernel's choice, which is one that any connection of the host may have the next moment.
    for (int tried = port + 1; tried <= std::min(port + kTries, kLargest); ++tried) {
        if (is_free(tried))
            return tried;
    }
    return fail(ErrorCode::application,
                fmt::format("no port of 127.0.0.1 above {} is free for a second instance of the application", port),
                "ss -ltn shows who listens; COMMENTO_PORT may be another one");
}

Result<void> require_own_port(const Paths& paths, const Settings& settings) {
    const std::string& port = settings.text("COMMENTO_PORT");
    const std::string present = read_file(paths.app_environment()).value_or("");
    if (present.find("\n" + format_assignment("COMMENTO_PORT", port) + "\n") != std::string::npos ||
        is_free(settings.number("COMMENTO_PORT")))
        return {};
    return fail(ErrorCode::application,
                fmt::format("another program listens on 127.0.0.1:{}, the new COMMENTO_PORT", port),
                fmt::format("ss -ltnp 'sport = :{}' names it; set another COMMENTO_PORT", port));
}

Result<void> place_beside(const Paths& paths, const Settings& settings, const fs::path& release, int port) {
    COMMENTO_CHECK(make_folder(paths.beside(), kFolder));
    COMMENTO_CHECK(point_link(paths.beside_release(), release));
    return write_file(paths.beside_environment(), environment_beside(paths, settings, port), kFile);
}

Result<void> lead_to(const Paths& paths, int port) {
    return write_file(paths.beside_port(), fmt::format("{}\n", port), kFile);
}

Result<void> lead_back(const Paths& paths) {
    std::error_code fault;
    fs::remove(paths.beside_port(), fault);
    return fault ? fail(ErrorCode::storage,
                        fmt::format("cannot remove {}: {}", paths.beside_port().string(), fault.message()))
                 : Result<void>();
}

Result<void> clear_beside(const Paths& paths) { return remove_folder(paths.beside()); }

} // namespace commento
