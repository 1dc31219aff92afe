/* SPDX-License-Identifier: MIT */
/* Implements provider.h: a child that may crash, and what it was doing. */
#include "tool/crash.h"
#include "tool/provider.h"
#include "tool/report.h"
#include "tool/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPERATION_SECONDS 10 /* one that takes longer hangs */

/* In memory that outlives the child. */
static struct guard {
    struct program program; /* that is being run */
    unsigned line;          /* and where */
    bool running, ended;
} * guard;

void *guard_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        tool_error("no memory");
        _exit(TOOL_BAD);
    }
    return memory;
}

static void before(void *context, const struct program *program, unsigned line)
{
    (void)context;
    if (line == 0 || !guard->running || line >= guard->program.lines) {
        guard->program.world = program->world;
        guard->program.lines = program->lines;
        memcpy(guard->program.line, program->line, program->lines * sizeof program->line[0]);
    }
    guard->running = true;
    guard->line = line;
    alarm(OPERATION_SECONDS);
}

void guard_off(void)
{
    setenv("DXGKMEM_UNGUARDED", "1", 1);
}

void guard_watch(struct runner_options *options)
{
    options->provider = tool_provider();
    if (options->provider == NULL || getenv("DXGKMEM_UNGUARDED") != NULL)
        return;
    if (guard == NULL)
        guard = guard_memory(sizeof *guard);
    options->before = before;
}

static _Noreturn void run_child(void (*body)(void *context), void *context)
{
    struct rlimit none = {0, 0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGALRM, SIG_DFL);
    setrlimit(RLIMIT_CORE, &none);
    setvbuf(stdout, NULL, _IOLBF, 0); /* what was printed is not lost in a crash */
    crash_install();
    alarm(OPERATION_SECONDS);
    body(context);
    fflush(stdout);
    guard->ended = true;
    _exit(0);
}

static void print_place(void)
{
    char line[512];

    if (!guard->running) {
        printf("  before the first operation of a program\n");
        return;
    }
    if (guard->line < guard->program.lines) {
        program_print_line(&guard->program.line[guard->line], line, sizeof line);
        printf("  operation %u: %s\n", guard->line + 1, line);
    } else {
        printf("  at the end, when everything is stopped\n");
    }
    printf("program:\n");
    report_program(stdout, &guard->program);
    printf("end of program\n");
}

static int tell(int status)
{
    const char *name = tool_provider()->name;

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        printf("finding: %s hangs: no end of an operation within %d s\n", name, OPERATION_SECONDS);
    else if (WIFSIGNALED(status))
        printf("finding: %s crashes: %s\n", name, strsignal(WTERMSIG(status)));
    else
        printf("finding: %s ended the process, with status %d\n", name, WEXITSTATUS(status));
    print_place();
    return TOOL_FINDING;
}

int guard_call(void (*body)(void *context), void *context)
{
    int status;
    pid_t pid;

    if (tool_provider() == NULL || getenv("DXGKMEM_UNGUARDED") != NULL) {
        body(context);
        return 0;
    }
    guard->running = guard->ended = false;
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        run_child(body, context);
    if (pid < 0)
        return tool_error("no child process: %s", strerror(errno));
    while (waitpid(pid, &status, 0) != pid)
        if (errno != EINTR)
            return tool_error("a child process was lost: %s", strerror(errno));
    return guard->ended ? 0 : tell(status);
}
