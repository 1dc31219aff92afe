/* SPDX-License-Identifier: MIT */
/*
 * The part of a program that several threads run: which lines, whose, and how they
 * take turns.
 *
 * `thread 1` to `thread 4` say whose the lines are that follow, `thread 0` that they are nobody's:
 * what comes before the first thread is the setup, what comes behind `thread 0` the rest; both
 * are run alone. What a line of the section means must not depend on the schedule, so some are left out:
 * conditions (process, irql, fail, args), exit (no thread of
 * a process that ends runs any more), stop and scribble; classes that look at what else lives
 * or lived (wrong_kind, next, recycled, previous, other), and shifts, which look at what lies beside; and a line that names a variable which
 * another thread of the section binds.
 */
#ifndef DXGKMEM_SECTION_H
#define DXGKMEM_SECTION_H

#include "program/program.h"

#define SECTION_THREADS 4

struct section_switch {
    uint64_t step;
    unsigned to; /* thread, from 0 */
};

struct section {
    unsigned threads;     /* that have lines; below 2 there is nothing to interleave */
    unsigned first, rest; /* lines before `first` are the setup, those from `rest` on the rest */
    unsigned lines;       /* of all threads */
    unsigned count[SECTION_THREADS];
    uint16_t line[SECTION_THREADS][PROGRAM_OPERATIONS]; /* indices */
    uint64_t strategy, seed, bound;                     /* operands of the schedule line, or its presets */
    unsigned switches;
    struct section_switch switched[PROGRAM_OPERATIONS];
};

void section_find(struct section *section, const struct program *program);

/*
 * Whether a line (program->lines: the final stop) is run before or after the section. Not those that only say
 * how threads take turns, nor `fail` and `args`: which thread's call they would hit depends on the schedule;
 * and behind the section nothing that looks at what else lives or lived.
 */
bool section_runs_alone(const struct section *section, const struct program *program, unsigned at);

/*
 * The same program for one thread: the setup, then the lines of `order` (indices), then, when
 * `all`, the rest. from[i] is the index in `program` of line i of the result.
 */
void section_flatten(const struct section *section, const struct program *program, const uint16_t *order,
                     unsigned ordered, bool all, struct program *flat, uint16_t *from);

/*
 * The program with its schedule spelled out: strategy=listed and one `switch` line each. False: there
 * is no room for so many.
 */
bool section_spell_out(const struct program *program, const struct section_switch *switched,
                       unsigned switches, struct program *spelled);

#endif
