/* SPDX-License-Identifier: MIT */
/* Implements child.h: fork, a pipe for what it prints, and a watch over time and memory. */
#include "tool/child.h"

#include "tool/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY 10 /* milliseconds between two looks at the child's time and memory */
#define BUSY 10       /* so many times the limit the machine may be busy with other things */

static unsigned now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (unsigned)(time.tv_sec * 1000 + time.tv_nsec / 1000000);
}

/* How long it has computed: the clock on the wall also counts what other processes do. */
static unsigned computed(pid_t pid)
{
    struct timespec time;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return 0;
    return (unsigned)(time.tv_sec * 1000 + time.tv_nsec / 1000000);
}

/* Whether it sleeps: it waits for nothing that the machine is busy with. */
static bool sleeps(pid_t pid)
{
    char name[64], state = 'R';

    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(name, "re");
    if (!file)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'R';
    fclose(file);
    return state == 'S';
}

/* What it has in memory, in MiB. */
static unsigned resident(pid_t pid)
{
    char name[64];
    unsigned long size, pages = 0;

    snprintf(name, sizeof name, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(name, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%lu %lu", &size, &pages) != 2)
        pages = 0;
    fclose(file);
    return (unsigned)(pages / (1048576u / (unsigned long)sysconf(_SC_PAGESIZE)));
}

/* Takes what the child has printed; false: there will be no more. */
static bool take_text(int pipe, struct child_end *end)
{
    char rest[4096];
    bool full = end->size == CHILD_TEXT;
    ssize_t got =
        full ? read(pipe, rest, sizeof rest) : read(pipe, end->text + end->size, CHILD_TEXT - end->size);

    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    if (!full)
        end->size += (size_t)got;
    return got > 0;
}

/* One look at a child that has not ended; begin, active: when it began, and last was seen to do something. */
static bool at_limit(pid_t pid, const struct child_limits *limits, unsigned begin, unsigned *active,
                     struct child_end *end)
{
    unsigned time = now(), before = end->milliseconds;

    end->milliseconds = computed(pid);
    if (end->milliseconds != before || !sleeps(pid))
        *active = time;
    end->timeout = end->milliseconds > limits->milliseconds || time - *active > limits->milliseconds ||
                   time - begin > BUSY * limits->milliseconds;
    end->memory = !end->timeout && resident(pid) > limits->mebibytes;
    return end->timeout || end->memory;
}

static void watch(pid_t pid, int pipe, const struct child_limits *limits, struct child_end *end)
{
    unsigned begin = now(), looked = begin, active = begin;
    bool open = true, ended = false;

    while (!ended) {
        struct pollfd poll_one = {.fd = pipe, .events = POLLIN};
        if (poll(&poll_one, open, open ? LOOK_EVERY : 1) > 0)
            open = take_text(pipe, end);
        if (!open || now() - looked >= LOOK_EVERY)
            ended = waitpid(pid, &end->status, WNOHANG) == pid;
        if (ended || now() - looked < LOOK_EVERY)
            continue;
        looked = now();
        if (at_limit(pid, limits, begin, &active, end)) {
            kill(pid, SIGKILL);
            ended = waitpid(pid, &end->status, 0) == pid;
        }
    }
    fcntl(pipe, F_SETFL, O_NONBLOCK); /* somebody else may still hold the other end */
    for (unsigned i = 0; open && i < 1024 && end->size < CHILD_TEXT; i++) {
        size_t before = end->size;
        open = take_text(pipe, end) && end->size > before;
    }
    end->text[end->size] = '\0';
}

static void begin_child(const int pipe[2])
{
    struct rlimit none = {0, 0};

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive who watches it */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    setrlimit(RLIMIT_CORE, &none);
    dup2(pipe[1], STDOUT_FILENO);
    dup2(pipe[1], STDERR_FILENO);
    close(pipe[0]);
    close(pipe[1]);
}

int child_call(void (*body)(void *context), void *context, const struct child_limits *limits,
               struct child_end *end)
{
    int pipe[2];

    end->timeout = end->memory = false;
    end->status = 0;
    end->milliseconds = 0;
    end->size = 0;
    fflush(stdout);
    fflush(stderr);
    if (pipe2(pipe, O_CLOEXEC) != 0)
        return tool_error("no pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0) {
        close(pipe[0]);
        close(pipe[1]);
        return tool_error("no child process: %s", strerror(errno));
    }
    if (pid == 0) {
        begin_child(pipe);
        body(context);
        fflush(stdout);
        _exit(0);
    }
    close(pipe[1]);
    watch(pid, pipe[0], limits, end);
    close(pipe[0]);
    return 0;
}

static void exec_body(void *context)
{
    char *const *arguments = context;
    int null = open("/dev/null", O_RDONLY);

    dup2(null, STDIN_FILENO);
    execvp(arguments[0], arguments);
    _exit(127);
}

int child_exec(const char *const *arguments, const struct child_limits *limits, struct child_end *end)
{
    return child_call(exec_body, (void *)(uintptr_t)arguments, limits, end);
}

/* Symbolising takes a sanitizer longer than the run. Its options are read when a process starts. */
void child_quiet_sanitizers(char **arguments)
{
    static const char mark[] = "DXGKMEM_CHILDREN";
    static const char *const names[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "MSAN_OPTIONS", "TSAN_OPTIONS"};

    if (getenv(mark)) {
        unsetenv(mark);
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *given = getenv(names[i]);
        char *options = tool_format("%s%ssymbolize=0:print_stacktrace=1:detect_leaks=0:color=never",
                                    given ? given : "", given && *given ? ":" : "");
        setenv(names[i], options, 1);
        free(options);
    }
    setenv(mark, "1", 1);
    execv("/proc/self/exe", arguments);
    unsetenv(mark); /* no second start: it works as well, more slowly */
}
