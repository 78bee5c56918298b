// Runs a command and writes what it cost, as one line, into a file: measure FILE COMMAND [ARGUMENT]...
//
//     exit-status wall-microseconds cpu-microseconds peak-memory-KiB
//
// CPU is that of the command and of all its children that were waited for; peak memory that of the largest of them. A
// program of its own, small and static, because a process starts with the peak memory of the one that it was forked
// from, which would be Python's, and because time(1) counts in hundredths of a second.

#include <cstdio>
#include <cstdlib>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000 + time.tv_nsec / 1000;
}

static long microseconds(const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; }

int main(int argc, char** argv) {
    if (argc < 3)
        return EXIT_FAILURE;
    const long begin = now();
    const pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    int status = 0;
    rusage usage{};
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return EXIT_FAILURE;
    const long wall = now() - begin;
    FILE* file = fopen(argv[1], "w");
    if (file == nullptr)
        return EXIT_FAILURE;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(file, "%d %ld %ld %ld\n", code, wall, microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
            usage.ru_maxrss);
    return fclose(file) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
