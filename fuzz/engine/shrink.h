/* SPDX-License-Identifier: MIT */
/*
 * Shrinking: makes a program as small and as plain as it can be while a judge
 * still says yes to it.
 *
 * First operations go, in halves and then one by one and in pairs; then what is left
 * becomes plainer: the world small, classes exact, numbers their presets or small,
 * variables counted from 0. The one makes room for the other, so both are
 * repeated until neither finds anything. The result is then 1-minimal: without any
 * single one of its operations the judge says no.
 *
 * What comes out is a function of the program and of what the judge says.
 */
#ifndef DXGKMEM_ENGINE_SHRINK_H
#define DXGKMEM_ENGINE_SHRINK_H

#include "program/program.h"

struct shrink {
    /* Whether the candidate, a valid program, is still what is wanted. */
    bool (*keeps)(struct shrink *shrink, const struct program *candidate);
    void *context;
    bool stop;                      /* the judge may set it: no time is left; the best so far is the result */
    unsigned tries, lines;          /* so far: candidates judged; operations of the best one */
    struct program best, candidate; /* workspace */
};

/*
 * Shrinks a program to which the judge says yes. False when it was stopped:
 * the program is smaller, perhaps, and not known to be 1-minimal.
 */
bool engine_shrink(struct shrink *shrink, struct program *program);

#endif
