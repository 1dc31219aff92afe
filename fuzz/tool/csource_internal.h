/* SPDX-License-Identifier: MIT */
/*
 * What the files of the C form share: csource.c has the file as a whole, its expectations
 * and the verb, csource_calls.c and csource_mdl.c one function an operation, csource_block.c the argument blocks of those,
 * csource_looks.c what is seen from outside.
 */
#ifndef DXGKMEM_TOOL_CSOURCE_INTERNAL_H
#define DXGKMEM_TOOL_CSOURCE_INTERNAL_H

#include "tool/csource.h"

#include <dxgkmem/sim.h>

/* Parts of csource_support.in, and local variables, that the program needs. */
enum csource_need {
    NEEDS_RECEIVE = 1 << 0,
    NEEDS_MISALIGNED = 1 << 1,
    NEEDS_TOLD = 1 << 2,
    NEEDS_LOGICAL = 1 << 3,
    NEEDS_BITS = 1 << 4,
    NEEDS_ANSWERED = 1 << 5,
    NEEDS_DONE = 1 << 6,
    NEEDS_ANSWERED_ADL = 1 << 7,
    NEEDS_ANSWERED_MAP = 1 << 8,
    NEEDS_READ = 1 << 9,
    NEEDS_WROTE = 1 << 10,
    NEEDS_SKIPPED = 1 << 11,
    NEEDS_STOP = 1 << 12,
    NEEDS_LOOKS = 1 << 13,
    NEEDS_PROVIDER = 1 << 14,
    NEEDS_CONTIGUOUS = 1 << 15,
    NEEDS_MDL = 1 << 16,
    NEEDS_ANSWERED_PAGES = 1 << 17,
    NEEDS_DIGEST = 1 << 18,
    NEEDS_PLACES = 1 << 19,
    NEEDS_SEE_MAPPING = 1 << 20,
    NEEDS_SEE_ADL = 1 << 21,
    NEEDS_OWN_MDL = 1 << 22,
    /* no parts, only variables */
    NEEDS_OFFERING = 1 << 23,
    NEEDS_REFUSING = 1 << 24,
    NEEDS_INTERFACE = 1 << 25,
    NEEDS_WORD = 1 << 26
};

/* What later lines want to know of a thing. */
enum { USES_VALUE = 1, USES_SIZE = 2, USES_TOLD = 4, USES_MDL = 8 };

struct csource_writer {
    const struct recording *recording;
    const struct csource *how;
    FILE *body;
    const struct program_line *line;
    unsigned at;
    unsigned needs;
    unsigned uses[RECORDING_THINGS];
    int spoiled;       /* pArgs of the next callback: enum program_how, or -1 */
    bool looks;        /* the finding is no call's answer, see csource_looks() */
    const char *level; /* the driver's IRQL; NULL: PASSIVE_LEVEL */
};

/* Writes the call of the present line. */
void csource_operation(struct csource_writer *writer);
/* csource_mdl.c: five of them, and what an MDL of a line wants to know of others' pages. */
void csource_map_mdl(struct csource_writer *writer);
void csource_unmap_mdl(struct csource_writer *writer);
void csource_pin_mdl(struct csource_writer *writer);
void csource_map_fb(struct csource_writer *writer);
void csource_unmap_fb(struct csource_writer *writer);
void csource_find_others(struct csource_writer *writer, unsigned at);
/* The C name of a thing. Returns text, which has room for 64. */
const char *csource_variable(const struct csource_writer *writer, int thing, char *text);
/* The thing of this kind that the present line made, or -1. */
int csource_made(const struct csource_writer *writer, enum program_kind kind);
/* The mapping whose size an unmap passes; -1: none, it passes a page. */
int csource_unmap_size(const struct recording *recording, unsigned at);

/* Whether the finding is no call's answer but what a look from outside shows. */
bool csource_looks(const struct csource_writer *writer);
/* What a device reaches pages through. */
static inline bool csource_is_reach(const struct runner_view *view)
{
    return view->kind == PROGRAM_ADL || view->kind == PROGRAM_MEMORY;
}
/* Looks whether devices reach what the present line made, and at everything. */
void csource_look_at_made(struct csource_writer *writer);
void csource_look_at_everything(struct csource_writer *writer);
/* Before and after the last call, in its block: what it must leave when it is refused, what it made. */
void csource_look_before(struct csource_writer *writer);
void csource_look_after(struct csource_writer *writer);

#endif
