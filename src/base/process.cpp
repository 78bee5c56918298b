#include "base/process.hpp"

#include "base/fd.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace commento {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kKeptOutput = 65536;

struct SpawnActions {
    posix_spawn_file_actions_t actions{};
    SpawnActions() { ::posix_spawn_file_actions_init(&actions); }
    ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
};

Result<pid_t> start(const std::vector<std::string>& arguments, int output) {
    // posix_spawnp looks in the parent's PATH, so that is set to the same clean one.
    static constexpr const char* kPath = "/usr/sbin:/usr/bin:/sbin:/bin";
    ::setenv("PATH", kPath, 1); // NOLINT(concurrency-mt-unsafe)
    std::string path = fmt::format("PATH={}", kPath);
    std::string locale = "LC_ALL=C.UTF-8";
    std::array<char*, 3> environment{path.data(), locale.data(), nullptr};

    std::vector<char*> argv;
    for (const auto& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str())); // NOLINT(cppcoreguidelines-pro-type-const-cast)
    argv.push_back(nullptr);

    SpawnActions files;
    ::posix_spawn_file_actions_addopen(&files.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files.actions, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&files.actions, output, STDERR_FILENO);

    pid_t child = -1;
    const int failure = ::posix_spawnp(&child, argv.front(), &files.actions, nullptr, argv.data(), environment.data());
    if (failure != 0)
        return fail_errno(ErrorCode::internal, fmt::format("cannot start {}", arguments.front()), failure,
                          fmt::format("is the package that holds {} installed?", arguments.front()));
    return child;
}

/// Reads until the writers are gone. False when the deadline passes first.
bool collect(int fd, std::string& output, Clock::time_point deadline) {
    std::array<char, 4096> buffer{};
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0)
            return false;
        pollfd pipe{fd, POLLIN, 0};
        if (::poll(&pipe, 1, static_cast<int>(left)) <= 0)
            continue;
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got <= 0)
            return true;
        const std::size_t room = kKeptOutput - output.size();
        output.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
    }
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace

Result<Outcome> run_program(const std::vector<std::string>& arguments, std::chrono::seconds limit) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail_errno(ErrorCode::internal, "cannot make a pipe", errno);
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    COMMENTO_ASSIGN(const pid_t child, start(arguments, writer.get()));
    writer = Fd();

    Outcome outcome{};
    const bool ended = collect(reader.get(), outcome.output, Clock::now() + limit);
    if (!ended)
        ::kill(child, SIGKILL);
    outcome.status = wait_for(child);
    if (!ended)
        return fail(ErrorCode::internal,
                    fmt::format("{} did not end within {} s and was killed", arguments.front(), limit.count()));
    return outcome;
}

} // namespace commento
