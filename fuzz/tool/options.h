/* SPDX-License-Identifier: MIT */
/* The options of a verb as a table: what each takes, and where it goes. */
#ifndef DXGKMEM_TOOL_OPTIONS_H
#define DXGKMEM_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Exactly one of flag, text, number and take says where it goes. */
struct tool_option {
    const char *name;
    char letter; /* of the short form; 0: there is none */
    bool *flag;  /* becomes true */
    const char **text;
    uint64_t *number;
    uint64_t least, most; /* most 0: any number */
    const char *unit;     /* "seconds"; NULL: none */
    /* Takes the text; false after saying what is wrong. */
    bool (*take)(void *context, const char *text);
    void *context;
};

/* A row for verbs that look into our implementation: --provider is refused with what it is for. */
#define TOOL_NO_PROVIDER_OPTION                                                                              \
    {                                                                                                        \
        .name = "provider", .take = tool_refuse_provider                                                     \
    }
bool tool_refuse_provider(void *context, const char *path);

/*
 * Takes the options of a verb, and --help, which prints `help`. The table ends with an empty entry; `optind`
 * is then the first argument that is no option. 0, -1 when help was printed, or TOOL_BAD after saying why.
 */
int tool_options(int count, char **arguments, const struct tool_option *options, const char *help);

#endif
