/* SPDX-License-Identifier: MIT */
/*
 * Plans of faults: which fallible calls of the host fail while a program runs.
 *
 * The calls of a run are numbered from 1 in the order in which they are made. A plan names the one that
 * fails and, for a fault in what follows a fault, how many calls later the second one comes. It
 * is a line of the language in front of the program, so whatever a plan finds is a program.
 */
#ifndef DXGKMEM_FAULTS_H
#define DXGKMEM_FAULTS_H

#include "program/program.h"

struct faults_plan {
    uint64_t first;  /* 0: nothing fails */
    uint64_t second; /* so many calls after the first; 0: only the first fails */
};

/*
 * Takes the program's own fail lines out, so that the plan's is the only one, and makes room for it: of a
 * program that fills all 128 lines the last one is left out. Returns the plan that the lines taken
 * out ask for: the numbers of the first one, or of the first two.
 */
struct faults_plan faults_take_out(struct program *program);
/* Puts the plan's line in front. */
void faults_put_in(struct program *planned, const struct program *program, struct faults_plan plan);

#endif
