/* SPDX-License-Identifier: MIT */
/* Running something in a child process that may crash, hang or eat memory. */
#ifndef DXGKMEM_TOOL_CHILD_H
#define DXGKMEM_TOOL_CHILD_H

#include <stdbool.h>
#include <stddef.h>

struct child_limits {
    unsigned milliseconds; /* that it may compute, or sleep at a stretch; ten times as long in all */
    unsigned mebibytes;
};

#define CHILD_TEXT (48u * 1024) /* of what it prints, the beginning is kept */

struct child_end {
    bool timeout, memory;  /* it was ended because of a limit */
    int status;            /* as waitpid has it */
    unsigned milliseconds; /* that it computed, as far as was looked */
    size_t size;
    char text[CHILD_TEXT + 1]; /* its stdout and stderr, terminated */
};

/* Calls body in a child and waits. When body returns, the child exits with 0. 0, or TOOL_BAD after saying why. */
int child_call(void (*body)(void *context), void *context, const struct child_limits *limits,
               struct child_end *end);
/* Runs a program, found in PATH. A program that cannot be started ends with 127. */
int child_exec(const char *const *arguments, const struct child_limits *limits, struct child_end *end);

/* A child's report of a crash needs no words of the sanitizers' own: addresses become names later. */
void child_quiet_sanitizers(char **arguments);

#endif
