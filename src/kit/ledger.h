/* SPDX-License-Identifier: MIT */
/*
 * What was found, and the plan of a life: which calls fail, and what is chosen. The stand-ins
 * (src/wdk) and the rest of the kit stand on this; it knows neither.
 */
#ifndef DXGKMEM_KIT_LEDGER_H
#define DXGKMEM_KIT_LEDGER_H

#include "stack.h"

#include <stdbool.h>
#include <stddef.h>

/* -- findings ------------------------------------------------------------------------- */

struct kit_finding {
    const char *name; /* stable: close_after_destroy, pool_leak */
    const char *call; /* who noticed; may be NULL */
    kit_stack stack;
    const char *earlier_call; /* what made it a mistake; NULL: nothing */
    kit_stack earlier;
};

/* Tells it, with a sentence, unless the same was told before: the same name at the same instruction. */
void kit_find(const struct kit_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same when the life cannot go on: it is left, or the process ends. */
void kit_find_and_leave(const struct kit_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

unsigned kit_findings(void);         /* different ones */
const char *kit_latest(void);        /* the name of the last one, told or not; NULL: none */
unsigned long kit_occurrences(void); /* all */
/* What stands behind "again:"; NULL: nothing. */
extern char kit_again[512];
/* A finding ends the process with abort(): for fuzzers. */
extern bool kit_abort_on_finding;
/* How a life is left; never returns. */
extern void (*kit_leave)(void);

/* -- the plan of a life --------------------------------------------------------------- */

#define KIT_FAILURES 2

struct kit_plan {
    unsigned fail[KIT_FAILURES]; /* the nth call that can fail; 0: none */
    unsigned calls;              /* that could fail, up to now */
    unsigned failed;             /* that were made to */
    kit_stack failed_at[KIT_FAILURES];
    uint64_t random;            /* a seed: what is chosen */
    const unsigned char *input; /* or bytes, when not NULL */
    size_t input_left;
};
extern struct kit_plan kit_plan;

/* Asked by each call that may fail: whether this one is to. stack: who made it. */
bool kit_fails(kit_stack stack);
unsigned kit_choose(unsigned below);

#endif
