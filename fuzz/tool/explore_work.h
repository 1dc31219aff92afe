/* SPDX-License-Identifier: MIT */
/*
 * One state of the search, in a process of its own: every line that applies to it is run, and what is new
 * comes back. States are kept as the first way that led to them: a tree of lines.
 */
#ifndef DXGKMEM_EXPLORE_WORK_H
#define DXGKMEM_EXPLORE_WORK_H

#include "tool/explore_lines.h"

#include <stdio.h>

#define EXPLORE_ROOT UINT32_MAX /* no parent; the line is then the number of the world's beginning */
#define EXPLORE_BEGINNINGS 2    /* both modes of the domain */

struct explore_state {
    uint64_t number; /* explore_number() */
    uint32_t parent;
    uint16_t line;
    uint8_t depth, deviations; /* lines that led here, and those of them that deviate */
};

/* A state that took more deviations is another one: less may be tried from there. */
static inline uint64_t explore_number(uint64_t state, unsigned deviations)
{
    return state + deviations * 0x9e3779b97f4a7c15u;
}

/* Every state so far in the order of its finding, which is by depth; and by number, open addressing. */
struct explore_states {
    struct explore_state *state;
    size_t count, room;
    uint32_t *place; /* plus one; 0: empty */
    size_t places;   /* a power of two */
};

/* Known with as many deviations or fewer. */
bool explore_known(const struct explore_states *states, uint64_t state, unsigned deviations);

/* What a process leaves when it ends, in memory that both see. */
struct explore_shared {
    struct program program; /* the one that runs: when the process dies it is the finding */
    struct runner_finding finding;
    uint64_t programs;
    uint32_t done; /* states of its part */
    uint32_t at;   /* the state whose lines it runs */
    bool found;
};

/* A new state, as a process writes it to its file. */
struct explore_step {
    uint64_t state; /* runner_state() */
    uint32_t from;
    uint16_t line, deviations;
};

struct explore_work {
    const struct explore_lines *lines;
    const struct explore_states *states;
    struct runner *runner;
    struct explore_shared *shared;
    const uint32_t
        *found_at; /* the first state with a finding so far, of all processes: later ones need not be run */
    FILE *out;
};

/* The program that led to a state. */
void explore_program(struct program *program, const struct explore_lines *lines,
                     const struct explore_states *states, size_t at);
/* The number of the state that a beginning is; 0: it has a finding. */
uint64_t explore_begin(struct runner *runner, unsigned beginning, struct program *program,
                       struct runner_finding *finding);
/* Runs the lines of one state. False: a finding, in shared. */
bool explore_state(struct explore_work *work, uint32_t at);
/*
 * Takes out of a program what it does not need to end the same way. True: with shared->finding; false: *ended
 * is how its process dies, or 0, when it does neither by itself.
 */
bool explore_reduce(struct explore_shared *shared, struct program *program, int *ended);

#endif
