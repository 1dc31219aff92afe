/* SPDX-License-Identifier: MIT */
/*
 * A run of one program, taken down: every event, every thing with its life, and
 * what the model wanted where the run broke an invariant. C forms and pictures are
 * made from it; it knows nothing of either. The program runs in a child, so that
 * one that crashes or hangs is taken down up to there.
 */
#ifndef DXGKMEM_RECORDING_H
#define DXGKMEM_RECORDING_H

#include "tool/finding.h"
#include "tool/input.h"

#define RECORDING_THINGS (2 * PROGRAM_OPERATIONS)
#define RECORDING_ALIVE 0xffffu

struct recording_thing {
    struct runner_view view; /* when it was made */
    unsigned life;           /* the how manieth that its variable named, from 1 */
    unsigned ended;          /* line that ended it; RECORDING_ALIVE: none did */
    uint64_t first_page;     /* of an ADL: its first logical page */
    bool held; /* of a mapping and an ADL: whether the access, and of a mapping the cache, is known */
    unsigned access;
    DXGK_MEMORY_CACHING_TYPE cache;
};

struct recording_line {
    struct runner_event event;
    struct runner_passed passed[PROGRAM_OPERANDS];
    unsigned operation; /* the number that the library gave the call; 0: none */
};

struct recording {
    const struct program *program;
    unsigned
        lines; /* that were run; the final stop is the last one, unless a finding came before: then its line */
    struct recording_line line[PROGRAM_OPERATIONS + 1];
    unsigned things;
    struct recording_thing thing[RECORDING_THINGS];
    struct runner_result result; /* of a run that came to its end */
    struct finding finding;
    struct runner_event wanted; /* the last line as the model wants it, when an invariant is broken */
};

/* Runs the program and takes it down. 0 or TOOL_BAD after saying what is wrong. The result stays. */
int recording_make(struct recording **recording, const struct program *program);
/* Whether the last line did not come back: it crashed, hangs, ate all memory. */
static inline bool recording_cut(const struct recording *recording)
{
    return recording->finding.kind != FINDING_NONE && recording->finding.kind != FINDING_INVARIANT;
}
/* "o0", and "o0'2" for the second thing that the variable named. Returns text. */
const char *recording_name(const struct recording *recording, unsigned thing, char *text, size_t room);
/* What came of a line: what stands behind the arrow in a trace. Returns text. */
const char *recording_outcome(const struct program *program, const struct runner_event *event, char *text,
                              size_t room);

#endif
