/* SPDX-License-Identifier: MIT */
/*
 * Every line that a short program may have: made once from the table of operations, for a world of two things of each kind.
 */
#ifndef DXGKMEM_EXPLORE_LINES_H
#define DXGKMEM_EXPLORE_LINES_H

#include "program/runner.h"

#define EXPLORE_VARIABLES 2 /* of each kind */
#define EXPLORE_LINES 16384 /* at most */

struct explore_lines {
    unsigned count, first; /* of the operation that was added last */
    uint64_t digest;       /* of all of them: a number of a line means something for one table only */
    struct program_line line[EXPLORE_LINES];
    bool deviates[EXPLORE_LINES]; /* has an operand that stands alone; see explore_lines.c */
    uint16_t rank[EXPLORE_LINES]; /* the first line that does the same, whatever variables it binds */
};

/* False: they are more than fit. */
bool explore_lines_make(struct explore_lines *lines, enum program_world world);

/* What the variables of a state hold. */
struct explore_bindings {
    bool bound[PROGRAM_KINDS][EXPLORE_VARIABLES];
    /* a class that stands for the value of an earlier one: another line makes the same call */
    bool same[PROGRAM_KINDS][PROGRAM_CLASSES][EXPLORE_VARIABLES];
    int next[PROGRAM_KINDS]; /* the variable that an operation binds: one way of naming is enough; -1: none */
};
void explore_bindings_of(struct explore_bindings *bindings, struct runner *runner);

/*
 * The line by what made the things that it names exactly, whatever they are called. made: by kind and variable, a number
 * for that; see explore_made_by.
 */
typedef uint64_t explore_made[PROGRAM_KINDS][EXPLORE_VARIABLES];
uint64_t explore_nameless(const struct program_line *line, explore_made made);
void explore_made_by(explore_made made, struct runner *runner, const struct program *program);

/* Whether the line is one of this state: it names what was made, binds the next variable, and no other makes the call. */
bool explore_line_applies(const struct program_line *line, const struct explore_bindings *bindings);

#endif
