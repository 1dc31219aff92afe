/* SPDX-License-Identifier: MIT */
/*
 * Running one program where it may do harm: in a child of this process, or in a
 * fuzz target that is named; and what was found there.
 */
#ifndef DXGKMEM_TOOL_REPLAY_H
#define DXGKMEM_TOOL_REPLAY_H

#include "tool/child.h"
#include "tool/finding.h"

struct replay {
    struct child_limits limits;
    const char *binary;       /* a fuzz target that takes a file; NULL: this tool itself */
    unsigned violation;       /* FINDING_VIOLATION is looked for: this one, else 0 */
    unsigned slowest;         /* milliseconds of the slowest run that was no hang */
    bool unlike;              /* the latest one was none: the provider has no world like the program's */
    struct runner *runner;    /* its worlds are made once and inherited */
    struct replay_shared *at; /* what the child tells */
    char *file;               /* where programs for the fuzz target are written */
};

/* limits, binary and violation are given. 0, or TOOL_BAD after saying what is wrong. */
int replay_open(struct replay *replay);
void replay_close(struct replay *replay);

/*
 * Runs it. `wanted`, if a violation is looked for, says at which operation; NULL: the first. finding->kind is
 * FINDING_NONE when nothing was found. 0, or TOOL_BAD after saying what is wrong.
 */
int replay_program(struct replay *replay, const struct program *program, const struct finding *wanted,
                   struct finding *finding);
/* The same in a process that is started anew, with other addresses. */
int replay_afresh(struct replay *replay, const struct program *program, struct finding *finding);

/* What programs run on, for a person: the provider's name, or the fuzz target that has one linked in. */
const char *replay_name(const struct replay *replay);

/* Unless the options say otherwise. */
#define REPLAY_LIMITS                                                                                        \
    {                                                                                                        \
        .milliseconds = 2000, .mebibytes = 1024                                                              \
    }
/* The verbs' options --timeout and --memory, in seconds and MiB. */
#define REPLAY_TIMEOUT(replay)                                                                               \
    {                                                                                                        \
        .name = "timeout", .take = replay_timeout, .context = (replay)                                       \
    }
#define REPLAY_MEMORY(replay)                                                                                \
    {                                                                                                        \
        .name = "memory", .take = replay_memory, .context = (replay)                                         \
    }
bool replay_timeout(void *replay, const char *text);
bool replay_memory(void *replay, const char *text);

#endif
