/* SPDX-License-Identifier: MIT */
/* Implements guest.h. */
#include "targets/guest.h"

#include <fcntl.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS 64
#define BOOT_SECONDS 120

static pid_t child;

/* One argument, with the places of the files in it filled in. */
static char *argument_of(const char *line, const char *shared, const char *console)
{
    const char *at = strstr(line, "SHARED"), *with = shared;
    size_t word = strlen("SHARED");
    char *argument;

    if (!at) {
        at = strstr(line, "CONSOLE");
        with = console;
        word = strlen("CONSOLE");
    }
    if (!at)
        return strdup(line);
    if (asprintf(&argument, "%.*s%s%s", (int)(at - line), line, with, at + word) < 0)
        return NULL;
    return argument;
}

static bool read_command(const char *path, const char *shared, const char *console, char **argument)
{
    FILE *file = fopen(path, "r");
    char line[4096];
    unsigned count = 0;

    while (file && count < ARGUMENTS && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        argument[count++] = argument_of(line, shared, console);
    }
    argument[count] = NULL;
    if (file)
        fclose(file);
    return count > 0;
}

static pid_t spawn(char **argument)
{
    pid_t parent = getpid(), made = fork();

    if (made == 0) {
        int nothing = open("/dev/null", O_RDWR);

        /* The guest ends with its fuzzer, and an interrupt of the terminal is not for it. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        if (getppid() != parent)
            _exit(1);
        dup2(nothing, 0);
        dup2(nothing, 1);
        execvp(argument[0], argument);
        fprintf(stderr, "%s: %s\n", argument[0], strerror(errno));
        _exit(127);
    }
    return made;
}

/* Whether QEMU still runs. */
static bool alive(void)
{
    return child > 0 && waitpid(child, NULL, WNOHANG) == 0;
}

static bool wait_for_answer(struct guest_box *box, unsigned seconds, unsigned microseconds)
{
    struct timespec now, begin;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (unsigned naps = 1;; naps++) {
        if (__atomic_load_n(&box->turn, __ATOMIC_ACQUIRE) == GUEST_ANSWERED)
            return true;
        /* Never spins: the processor may be needed for the guest. */
        nanosleep(&(struct timespec){0, 1000 * (long)microseconds}, NULL);
        if (naps % 64 != 0)
            continue;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (!alive() || now.tv_sec - begin.tv_sec > (time_t)seconds)
            return false;
    }
}

struct guest_box *guest_start(const char *command, const char *folder)
{
    char shared[PATH_MAX], console[PATH_MAX], *argument[ARGUMENTS + 1];
    struct guest_box *box; /* the first */
    int file;

    snprintf(shared, sizeof shared, "%s/shared", folder);
    snprintf(console, sizeof console, "%s/console", folder);
    mkdir(folder, 0777);
    unlink(shared);
    unlink(console);
    file = open(shared, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, GUEST_SHARED_BYTES) != 0) {
        fprintf(stderr, "%s: %s\n", shared, strerror(errno));
        return NULL;
    }
    box = mmap(NULL, GUEST_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (box == MAP_FAILED || !read_command(command, shared, console, argument)) {
        fprintf(stderr, "%s: %s\n", command, strerror(errno));
        return NULL;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    child = spawn(argument);
    for (unsigned i = 0; argument[i]; i++)
        free(argument[i]);
    if (wait_for_answer(box, BOOT_SECONDS, 1000)) {
        __atomic_store_n(&box->turn, GUEST_GREETED, __ATOMIC_RELEASE);
        if (wait_for_answer(box, BOOT_SECONDS, 1000))
            return box;
    }
    fprintf(stderr, "the guest does not start; its console is %s\n", console);
    return NULL;
}

void guest_ask(struct guest_box *box)
{
    __atomic_store_n(&box->turn, GUEST_ASKED, __ATOMIC_RELEASE);
}

bool guest_answers(struct guest_box *box, unsigned seconds, unsigned microseconds)
{
    if (wait_for_answer(box, seconds, microseconds))
        return true;
    if (child > 0) {
        nanosleep(&(struct timespec){1, 0}, NULL); /* a dying kernel still prints */
        kill(child, SIGKILL);
        child = 0;
    }
    return false;
}
