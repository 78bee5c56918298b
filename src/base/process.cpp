#include "base/process.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace commento {
namespace {

using Clock = std::chrono::steady_clock;

/// What posix_spawn does in the child before the program begins.
class Spawn {
  public:
    Spawn(int output, int errors) {
        ::posix_spawn_file_actions_init(&files_);
        ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&files_, errors, STDERR_FILENO);
        // Programs of ours ignore SIGPIPE (program.cpp), and what is ignored stays so across exec.
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGPIPE);
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawnattr_setsigdefault(&attributes_, &signals);
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
    }
    ~Spawn() {
        ::posix_spawn_file_actions_destroy(&files_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    Spawn(const Spawn&) = delete;
    Spawn& operator=(const Spawn&) = delete;

    const posix_spawn_file_actions_t* files() const { return &files_; }
    const posix_spawnattr_t* attributes() const { return &attributes_; }

  private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

/// Pointers as execve(2) takes them.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (const auto& text : texts)
        pointers.push_back(const_cast<char*>(text.c_str())); // NOLINT(cppcoreguidelines-pro-type-const-cast)
    pointers.push_back(nullptr);
    return pointers;
}

Result<pid_t> start(const std::vector<std::string>& arguments, std::vector<std::string> environment,
                    const Spawn& spawn) {
    // posix_spawnp looks in the parent's PATH, so that is set to the same clean one.
    static constexpr const char* kPath = "/usr/sbin:/usr/bin:/sbin:/bin";
    ::setenv("PATH", kPath, 1); // NOLINT(concurrency-mt-unsafe)
    environment.insert(environment.begin(), {fmt::format("PATH={}", kPath), "LC_ALL=C.UTF-8"});
    const auto argv = pointers_to(arguments);
    const auto envp = pointers_to(environment);
    pid_t child = -1;
    const int failure =
        ::posix_spawnp(&child, argv.front(), spawn.files(), spawn.attributes(), argv.data(), envp.data());
    if (failure != 0)
        return fail_errno(ErrorCode::internal, fmt::format("cannot start {}", arguments.front()), failure,
                          fmt::format("is the package that holds {} installed?", arguments.front()));
    return child;
}

struct Pipe {
    Fd reader;
    Fd writer;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail_errno(ErrorCode::internal, "cannot make a pipe", errno);
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// One read of what is in the pipe. False at its end.
bool read_some(int pipe, std::string& output, std::size_t kept) {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
    if (got <= 0)
        return got < 0 && errno == EINTR;
    const std::size_t room = kept - output.size();
    output.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
    return true;
}

/// Reads until the child has ended. The pipes' ends alone tell nothing: the child may close its output and go on, or
/// end and leave the output to a daemon. False when the deadline passes first.
bool collect(int process, int output, int errors, Outcome& outcome, std::size_t kept, Clock::time_point deadline) {
    std::array<pollfd, 3> watched{pollfd{output, POLLIN, 0}, pollfd{errors, POLLIN, 0}, pollfd{process, POLLIN, 0}};
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0)
            return false;
        if (::poll(watched.data(), watched.size(), static_cast<int>(left)) <= 0)
            continue;
        if (watched[0].revents != 0 && !read_some(output, outcome.output, kept))
            watched[0].fd = -1;
        if (watched[1].revents != 0 && !read_some(errors, outcome.errors, kept))
            watched[1].fd = -1;
        if (watched[0].revents == 0 && watched[1].revents == 0 && watched[2].revents != 0)
            return true;
    }
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace

Result<Outcome> run_program(const std::vector<std::string>& arguments, std::chrono::seconds limit,
                            const std::vector<std::string>& environment, Stderr errors, std::size_t kept) {
    COMMENTO_ASSIGN(Pipe output, make_pipe());
    Pipe apart{};
    if (errors == Stderr::apart) {
        COMMENTO_ASSIGN(apart, make_pipe());
    }
    const Spawn spawn(output.writer.get(), apart.writer ? apart.writer.get() : output.writer.get());
    COMMENTO_ASSIGN(const pid_t child, start(arguments, environment, spawn));
    output.writer = Fd();
    apart.writer = Fd();

    // Not yet reaped, so the id can't have gone to another process.
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));

    Outcome outcome{};
    const bool ended =
        process && collect(process.get(), output.reader.get(), apart.reader.get(), outcome, kept, Clock::now() + limit);
    if (!ended)
        ::kill(child, SIGKILL);
    outcome.status = wait_for(child);
    if (!ended)
        return fail(ErrorCode::internal,
                    fmt::format("{} did not end within {} s and was killed", arguments.front(), limit.count()));
    return outcome;
}

} // namespace commento
