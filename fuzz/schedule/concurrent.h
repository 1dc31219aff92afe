/* SPDX-License-Identifier: MIT */
/*
 * One run of a program whose section is run by several threads, and the judgement of it.
 *
 * A run is right (invariant 19) when
 *  - every thread comes to its end: no deadlock, no endless waiting;
 *  - no lock is taken out of rank (the host panics);
 *  - with the threads gone, the audit and the machine find nothing wrong;
 *  - what the calls answered, in the section and after it, is what one thread would have got
 *    that makes the same calls in some order, where a call that had ended before another began comes first. The
 *    run of that one thread is checked against the model by the ordinary runner. A removal is no single call:
 *    it ends one thing after the other, and other calls may come between any two (linearize.c).
 */
#ifndef DXGKMEM_CONCURRENT_H
#define DXGKMEM_CONCURRENT_H

#include "schedule/strategy.h"

#include "program/runner.h"

/* What one line did: its event, and the steps between which it did it. */
struct concurrent_line {
    bool made;
    uint64_t begin, end;
    struct runner_event event;
};

struct concurrent_result {
    unsigned invariant; /* 0: nothing was found */
    enum scheduled_end end;
    char message[4096]; /* in several lines */
    uint64_t steps;
    uint64_t orders; /* of one thread that were tried */
};

struct concurrent_options {
    void *context;
    /* Decides in place of the section's own strategy. May be NULL. */
    unsigned (*choose)(void *context, const struct scheduled_state *state);
    /* Told of every decision. May be NULL, as may the next. */
    void (*turn)(void *context, const struct scheduled_state *state, unsigned chosen);
    void (*event)(void *context, unsigned thread, const struct program *program,
                  const struct runner_event *event); /* thread: SCHEDULED_NOBODY outside the section */
};

struct concurrent;

/* NULL: no memory. It starts the instance for each run: one at a time, and no other runner beside it. */
struct concurrent *concurrent_create(const struct concurrent_options *options);
void concurrent_destroy(struct concurrent *concurrent);

/*
 * Runs it once; `run` counts the runs of one program, each of which has a schedule of its own that follows
 * from the program's seed. A program without a section is not run. After a deadlock or an endless run the process is
 * good for nothing but to end.
 */
void concurrent_run(struct concurrent *concurrent, const struct program *program, unsigned run,
                    struct concurrent_result *result);

/*
 * For a section that maps MDLs: the driver gets its own pages before it. It gets them when it first needs them, and
 * two threads that did together would each get some; one thread gets them at the same place, for where others are
 * put depends on it.
 */
void concurrent_take_driver_pages(struct runner *runner, const struct section *section,
                                  const struct program *program);

const struct section *concurrent_section(const struct concurrent *concurrent);
/* The turns of the last run that were not plain. */
const struct strategy *concurrent_strategy(const struct concurrent *concurrent);

/* -- linearize.c ------------------------------------------------------------------------- */

/* A call is one step; a removal one for each of its parts. */
#define LINEARIZE_STEPS (2 * PROGRAM_OPERATIONS)

struct linearize {
    struct runner
        *runner; /* with the model; its events go to linearize_event, its removals to linearize_removal */
    const struct runner *many; /* of the run that is judged */
    struct runner_turn *turn;  /* room for one */
    const struct program *program;
    const struct section *section;
    const struct concurrent_line *line; /* by index; [program->lines]: the final stop */

    /* results */
    uint64_t orders, lines;           /* that were tried, and lines that were run for them */
    bool undecided;                   /* an order was given up for a reason that says nothing about the run */
    struct runner_finding sequential; /* of the model, when one thread alone goes wrong */

    /* the steps of each thread, by their lines: a removal's stand beside each other */
    unsigned steps, count[SECTION_THREADS], next[SECTION_THREADS];
    uint16_t step[SECTION_THREADS][LINEARIZE_STEPS];
    uint8_t parts[PROGRAM_OPERATIONS];  /* steps of each line */
    bool removes;                       /* some adapter was removed */
    bool seen_between;                  /* some calls met a removal in the midst of another one */
    bool blind_many, blind;             /* accesses are not compared: in no order, in the one that is tried */
    bool overtaken[PROGRAM_OPERATIONS]; /* this access is not */

    /* the order that is tried */
    unsigned ordered;
    uint16_t order[LINEARIZE_STEPS];
    struct program flat;
    uint16_t from[PROGRAM_OPERATIONS + 1];
    unsigned before; /* how many lines of `flat` come before the section */
    struct runner_event event[PROGRAM_OPERATIONS + 1];
    /* Lines that are run in the midst of a removal: its line plus one, and how many things it has ended by then. */
    uint16_t within[PROGRAM_OPERATIONS], ended[PROGRAM_OPERATIONS];
    unsigned unfinished; /* a removal that has parts which are not in the order; the number of lines: none */
};

/* For the runner's options; context: the struct linearize. */
void linearize_event(void *context, const struct program *program, const struct runner_event *event);
void linearize_removal(void *context, unsigned line, unsigned ended);
/* Whether some order explains the run, or could but for what ran out. */
bool linearize_find(struct linearize *linearize);

#endif
