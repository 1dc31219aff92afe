/* SPDX-License-Identifier: MIT */
/*
 * One state of the search, in a process of its own: every line that applies to it is run, and what is new
 * comes back. States are kept as the first way that led to them: a tree of lines.
 */
#ifndef DXGKMEM_EXPLORE_WORK_H
#define DXGKMEM_EXPLORE_WORK_H

#include "tool/explore_lines.h"
#include "tool/explore_states.h"

#include <stdio.h>

#define EXPLORE_BEGINNINGS 2 /* both modes of the domain */

/* What a process leaves when it ends, in memory that both see. */
struct explore_shared {
    struct program program; /* the one that runs: when the process dies it is the finding */
    struct runner_finding finding;
    size_t programs; /* of a portion of states: a word is enough, and 32-bit hosts need no 64-bit atomics */
    uint32_t done;   /* states of its part */
    uint32_t at;     /* the state whose lines it runs */
    bool found;
};

/* What came of a state, as a process writes it to its file; that many steps follow. */
struct explore_done {
    uint64_t answers;
    uint32_t from, steps;
};

/* A new state. */
struct explore_step {
    uint64_t state; /* runner_state() */
    uint32_t from;
    uint16_t line;
    uint8_t deviations;
    bool reordered;
};

struct explore_work {
    const struct explore_lines *lines;
    const struct explore_states *states;
    struct runner *runner;
    struct explore_shared *shared;
    const uint32_t
        *found_at; /* the first state with a finding so far, of all processes: later ones need not be run */
    FILE *out;
    bool bounded; /* deviations are counted */
    bool last;    /* nobody goes on from the states that are found */
    bool orders;  /* every line is run in a reordered state, too */
    /* of the state whose lines are run */
    uint16_t led[EXPLORE_DEEPEST]; /* the lines that led there */
    unsigned led_count;
    uint16_t begun; /* lines of the program that led there */
    struct runner_noted noted;
    struct explore_bindings bindings;
    uint16_t applying[EXPLORE_LINES]; /* the lines that apply; of the bindings */
    unsigned applying_count;
    bool few; /* only those that tell places */
    struct explore_step step[EXPLORE_LINES];
    unsigned steps;
    explore_made made;
    uint64_t event; /* the answer to the line that was run last */
    uint64_t answers,
        nameless; /* nameless: those that tell no place, whichever of several things they are about */
};

/* Takes the answer to a line down in work->event; the work's runner calls it. */
void explore_take_event(void *work, const struct program *program, const struct runner_event *event);
/* The number of the state that a beginning is; 0: it has a finding. */
uint64_t explore_begin(struct runner *runner, unsigned beginning, struct program *program,
                       struct runner_result *result);
/* The program that leads to a state: the lines behind its beginning are `led`. Their count. */
unsigned explore_program(const struct explore_lines *lines, const struct explore_states *states, uint32_t at,
                         struct program *program, uint16_t led[EXPLORE_DEEPEST]);
/* Runs the lines of one state and writes what came of it. False: a finding, in shared. */
bool explore_state(struct explore_work *work, uint32_t at);
/*
 * Takes out of a program what it does not need to end the same way. True: with shared->finding; false: *ended
 * is how its process dies, or 0, when it does neither by itself.
 */
bool explore_reduce(struct explore_shared *shared, struct program *program, int *ended);

#endif
