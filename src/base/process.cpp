#include "base/process.hpp"

#include "base/fd.hpp"
#include "base/translate.hpp"

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
    /// Without `input` (-1) there is none.
    Spawn(int input, int output, int errors) {
        ::posix_spawn_file_actions_init(&files_);
        if (input < 0)
            ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        else
            ::posix_spawn_file_actions_adddup2(&files_, input, STDIN_FILENO);
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
        return fail_errno(ErrorCode::internal, tr("cannot start {}", arguments.front()), failure,
                          tr("is the package that holds {} installed?", arguments.front()));
    return child;
}

struct Pipe {
    Fd reader;
    Fd writer;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail_errno(ErrorCode::internal, tr("cannot make a pipe"), errno);
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

using Sink = std::function<Result<void>(std::string_view)>;

Sink keep_in(std::string& text, std::size_t kept) {
    return [&text, kept](std::string_view piece) -> Result<void> {
        text.append(piece.substr(0, kept - text.size()));
        return {};
    };
}

/// One read of what is in the pipe. False at its end.
Result<bool> read_some(int pipe, const Sink& sink) {
    std::array<char, 65536> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
    const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
    if (got <= 0)
        return got < 0 && errno == EINTR;
    COMMENTO_CHECK(sink(std::string_view(buffer.data(), static_cast<std::size_t>(got))));
    return true;
}

/// A program's input as it goes into a pipe that never blocks.
class Input {
  public:
    using Source = std::function<Result<std::string_view>()>;

    Input(Fd pipe, const Source& source) : pipe_(std::move(pipe)), source_(source) {
        if (pipe_)
            ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
    }

    /// -1 when there is nothing more to write.
    int fd() const { return pipe_ ? pipe_.get() : -1; }

    Result<void> write_some() {
        if (rest_.empty()) {
            COMMENTO_ASSIGN(rest_, source_());
        }
        const ssize_t written = rest_.empty() ? 0 : ::write(pipe_.get(), rest_.data(), rest_.size());
        const bool gone = written < 0 && errno != EAGAIN && errno != EINTR; // the program reads no more
        if (rest_.empty() || gone)
            pipe_ = Fd();
        else if (written > 0)
            rest_.remove_prefix(static_cast<std::size_t>(written));
        return {};
    }

  private:
    Fd pipe_;
    const Source& source_;
    std::string_view rest_{};
};

/// The parent's ends of a child's pipes; `errors` may be none.
struct Ends {
    Input input;
    Fd output;
    Fd errors;
};

/// Hands input and output on until the child has ended. The pipes' ends alone tell nothing: the child may close its
/// output and go on, or end and leave the output to a daemon. False when the deadline passes first.
Result<bool> converse(int process, Ends& ends, const Sink& output, const Sink& errors, Clock::time_point deadline) {
    std::array<pollfd, 4> watched{pollfd{ends.output.get(), POLLIN, 0}, pollfd{ends.errors.get(), POLLIN, 0},
                                  pollfd{process, POLLIN, 0}, pollfd{-1, POLLOUT, 0}};
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0)
            return false;
        watched[3].fd = ends.input.fd();
        if (::poll(watched.data(), watched.size(), static_cast<int>(left)) <= 0)
            continue;
        for (const std::size_t each : {0, 1}) {
            if (watched.at(each).revents == 0)
                continue;
            COMMENTO_ASSIGN(const bool more, read_some(watched.at(each).fd, each == 0 ? output : errors));
            if (!more)
                watched.at(each).fd = -1;
        }
        if (watched[3].revents != 0) {
            COMMENTO_CHECK(ends.input.write_some());
        }
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

/// Runs it to its end, or to the deadline, or to the first error of a sink or a source. The value is its status.
Result<int> run(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                const Input::Source& source, const Sink& output, const Sink* errors, std::chrono::seconds limit) {
    Pipe in{};
    Pipe apart{};
    COMMENTO_ASSIGN(Pipe out, make_pipe());
    if (errors != nullptr) {
        COMMENTO_ASSIGN(apart, make_pipe());
    }
    if (source) {
        COMMENTO_ASSIGN(in, make_pipe());
    }
    const Spawn spawn(in.reader ? in.reader.get() : -1, out.writer.get(),
                      apart.writer ? apart.writer.get() : out.writer.get());
    COMMENTO_ASSIGN(const pid_t child, start(arguments, environment, spawn));
    in.reader = Fd();
    out.writer = Fd();
    apart.writer = Fd();

    // Not yet reaped, so the id can't have gone to another process.
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    Ends ends{Input(std::move(in.writer), source), std::move(out.reader), std::move(apart.reader)};
    const auto ended =
        process ? converse(process.get(), ends, output, errors == nullptr ? output : *errors, Clock::now() + limit)
                : Result<bool>(false);
    if (!ended || !*ended)
        ::kill(child, SIGKILL);
    const int status = wait_for(child);
    if (!ended)
        return tl::unexpected(ended.error());
    if (!*ended)
        return fail(ErrorCode::internal,
                    tr("{} did not end within {} s and was killed", arguments.front(), limit.count()));
    return status;
}

} // namespace

Result<Outcome> run_program(const std::vector<std::string>& arguments, std::chrono::seconds limit,
                            const std::vector<std::string>& environment, Stderr errors, std::size_t kept) {
    Outcome outcome{};
    const Sink apart = keep_in(outcome.errors, kept);
    COMMENTO_ASSIGN(outcome.status, run(arguments, environment, {}, keep_in(outcome.output, kept),
                                        errors == Stderr::apart ? &apart : nullptr, limit));
    return outcome;
}

Result<Outcome> pipe_program(const std::vector<std::string>& arguments, const Streams& streams,
                             std::chrono::seconds limit, const std::vector<std::string>& environment) {
    Outcome outcome{};
    const Sink apart = keep_in(outcome.errors, kKeptOutput);
    COMMENTO_ASSIGN(outcome.status,
                    run(arguments, environment, streams.next_input, streams.take_output, &apart, limit));
    return outcome;
}

} // namespace commento
