/* SPDX-License-Identifier: MIT */
/*
 * Which implementation the tool runs programs on, and keeping the tool alive while one from outside runs.
 *
 * --provider FILE is an option of every verb that runs programs. It is handed on to processes that
 * the verb starts in DXGKMEM_PROVIDER, which does the same.
 */
#ifndef DXGKMEM_TOOL_PROVIDER_H
#define DXGKMEM_TOOL_PROVIDER_H

#include "tool/options.h"

#include "program/runner.h"

/* A row of a verb's table of options, and the line of its help. */
#define TOOL_PROVIDER_OPTION                                                                                 \
    {                                                                                                        \
        .name = "provider", .take = tool_take_provider                                                       \
    }
#define TOOL_PROVIDER_HELP                                                                                   \
    "  --provider FILE  run on the implementation in this shared object (fuzz/PROVIDER.md)\n"
bool tool_take_provider(void *context, const char *path);

/* What was chosen; NULL: ours. What cannot be used ends the tool with a line and TOOL_BAD. */
const struct dxgkmem_provider *tool_provider(void);

/* -- an implementation from outside may crash, hang, or end the process ------------------ */

/* Memory that the child of guard_call shares with its parent, zeroed. It is never given back. */
void *guard_memory(size_t bytes);
/* In processes that this one starts, guard_call calls here: they are watched as they are. */
void guard_off(void);
/* Names the implementation in the options, and has each operation noted. */
void guard_watch(struct runner_options *options);
/*
 * Calls body: of ours here, of another implementation in a child, which can change only guard_memory(). 0, or
 * TOOL_FINDING after printing how the child ended and in which operation of which program, or TOOL_BAD.
 */
int guard_call(void (*body)(void *context), void *context);

#endif
