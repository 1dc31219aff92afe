/* SPDX-License-Identifier: MIT */
/*
 * dxgkmem run --schedule: the lines of threads in turns. Core is another one there, with a point at each atomic
 * access, so this is another program, which lies beside this one.
 */
#include "tool/in_turns.h"
#include "tool/tool.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "dxgkmem-schedule"

/* The other program's path, as far as it fits. */
static void find_program(char path[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - sizeof PROGRAM);

    while (length > 0 && path[length - 1] != '/')
        length--;
    memcpy(path + (length > 0 ? length : 0), PROGRAM, sizeof PROGRAM);
}

int tool_run_in_turns(bool quiet, bool lenient, int count, char **files)
{
    static char name[] = PROGRAM, trace[] = "--trace", runs[] = "--runs=1", lenient_word[] = "--lenient",
                end[] = "--";
    char path[PATH_MAX], **arguments = tool_alloc(((size_t)count + 5) * sizeof *arguments);
    size_t at = 0;

    arguments[at++] = name;
    arguments[at++] = quiet ? runs : trace;
    if (lenient)
        arguments[at++] = lenient_word;
    arguments[at++] = end;
    memcpy(arguments + at, files, (size_t)count * sizeof *files);
    find_program(path);
    fflush(stdout);
    execv(path, arguments);
    free(arguments);
    return tool_error("%s cannot be run: %s; sanitizers of memory and threads do without it", path,
                      strerror(errno));
}
