/* SPDX-License-Identifier: MIT */
/* The dxgkmem command: which verb is meant, help, and how it ends. Verbs live in files of their own. */
#include "tool/child.h"
#include "tool/tool.h"

#include <dxgkmem/user.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct verb {
    const char *name;
    int (*run)(int count, char **arguments);
    const char *summary;
} verbs[] = {
    {"run", verb_run, "run programs, check every invariant"},
    {"show", verb_show, "print programs as text"},
    {"csource", verb_csource, "turn a program into a C file of its own"},
    {"pack", verb_pack, "turn text programs into their binary form"},
    {"generate", verb_generate, "make up a program"},
    {"minimize", verb_minimize, "make a finding's program small, the finding staying the same"},
#ifdef DXGKMEM_TRIAGE
    {"triage", verb_triage, "sort the findings of a fuzzer, one of each made small"},
#endif
    {"promote", verb_promote, "make a finding a regression of the corpus"},
    {"batch", verb_batch, "requests for a driver's device, and its replies"},
    {"drive", verb_drive, "fuzz a driver from outside"},
    {"faults", verb_faults, "run programs with every fallible call of the host failing"},
    {"reads", verb_reads, "run programs, look at every access of their argument blocks"},
    {"explore", verb_explore, "run every short program"},
    {"matrix", verb_matrix, "which cells of the matrix programs hit"},
    {"operations", verb_operations, "the operations of the language, as a table"},
    {"violations", verb_violations, "the violations, as a table"},
};

static const char new_suffix[] = ".new";
static char unfinished[4096]; /* a file that an interrupt must remove */

/* Verbs whose children crash. */
static bool has_children(const char *verb)
{
    static const char *const verbs_with[] = {"minimize", "triage", "promote", "csource", "show"};

    for (size_t i = 0; i < sizeof verbs_with / sizeof verbs_with[0]; i++)
        if (strcmp(verb, verbs_with[i]) == 0)
            return true;
    return false;
}

static void interrupted(int signal_number)
{
    static const char text[] = "dxgkmem: interrupted\n";

    (void)signal_number;
    if (unfinished[0])
        unlink(unfinished);
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(TOOL_INTERRUPTED);
    _exit(TOOL_INTERRUPTED);
}

int tool_write_file(const char *path, const void *bytes, size_t size)
{
    if (strlen(path) + sizeof new_suffix > sizeof unfinished)
        return tool_error("%s: the name is too long", path);

    char name[sizeof unfinished];
    snprintf(name, sizeof name, "%s%s", path, new_suffix);
    memcpy(unfinished, name, sizeof name);

    FILE *file = fopen(name, "wb");
    bool good = file != NULL;
    int error = errno;
    if (good && size && fwrite(bytes, 1, size, file) != size) {
        good = false;
        error = errno;
    }
    if (file && fclose(file) != 0 && good) {
        good = false;
        error = errno;
    }
    if (good && rename(name, path) != 0) {
        good = false;
        error = errno;
    }
    if (!good && file)
        unlink(name);
    unfinished[0] = '\0';
    return good ? 0 : tool_error("%s: cannot be written: %s", path, strerror(error));
}

int tool_write_page(const char *path, void (*write)(FILE *to, const void *context), const void *context)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    int status = 0;

    if (!to)
        return tool_error("no memory");
    write(to, context);
    fclose(to);
    if (path)
        status = tool_write_file(path, text, size);
    else if (fwrite(text, 1, size, stdout) != size)
        status = tool_error("standard output: cannot be written");
    free(text);
    return status;
}

static void help(FILE *to)
{
    fputs("usage: dxgkmem VERB [OPTION]... [FILE|FOLDER]...\n\n", to);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        fprintf(to, "  %-12s%s\n", verbs[i].name, verbs[i].summary);
    fputs("  help        this text; dxgkmem VERB --help says more about one verb\n"
          "  version     the version\n\n"
          "Programs are text or binary; which of the two is found out. A folder stands for\n"
          "every file in it.\n\n"
          "exit status: 0 clean, 1 a finding, 2 bad input or usage, 130 interrupted\n",
          to);
}

/* The verb stands for the program's name in what getopt_long says. */
static int run_verb(const struct verb *verb, int count, char **arguments)
{
    char *name = tool_format("dxgkmem %s", verb->name);

    arguments[0] = name;
    int status = verb->run(count, arguments);
    free(name);
    return status;
}

static int dispatch(int count, char **arguments)
{
    const char *name = arguments[1];

    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        if (count < 3 || name[0] == '-') {
            help(stdout);
            return TOOL_CLEAN;
        }
        char *ask[] = {arguments[2], (char[]){"--help"}, NULL};
        for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
            if (strcmp(arguments[2], verbs[i].name) == 0)
                return run_verb(&verbs[i], 2, ask);
        return tool_error("unknown verb '%s'; dxgkmem help lists them", arguments[2]);
    }
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        if (count > 2)
            return tool_error("version takes nothing more, not '%s'", arguments[2]);
        puts("dxgkmem " DXGKMEM_VERSION);
        return TOOL_CLEAN;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(name, verbs[i].name) == 0)
            return run_verb(&verbs[i], count - 1, arguments + 1);
    return tool_error("unknown verb '%s'; dxgkmem help lists them", name);
}

int main(int count, char **arguments)
{
    struct sigaction action = {.sa_handler = interrupted};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (count < 2) {
        help(stderr);
        return TOOL_BAD;
    }

    if (has_children(arguments[1]))
        child_quiet_sanitizers(arguments);
    dxgkmem_user_seed(1); /* the same handles in every process */
    int status = dispatch(count, arguments);
    if (fflush(stdout) != 0 || ferror(stdout))
        return tool_error("standard output: cannot be written: %s", strerror(errno));
    return status;
}
