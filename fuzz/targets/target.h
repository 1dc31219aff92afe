/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share: what an engine calls, how a target starts, how it ends at a finding.
 * Targets whose inputs are programs have the mutation of hooks.c.
 */
#ifndef DXGKMEM_TARGET_H
#define DXGKMEM_TARGET_H

#include "program/runner.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
                                 size_t second_size, uint8_t *out, size_t room, unsigned seed);

/* What a target made when it started, handed on; NULL: it says that there is no memory, and ends. */
static inline void *target_made(void *made)
{
    if (!made) {
        fputs("fuzz: no memory\n", stderr);
        exit(2);
    }
    return made;
}
/* A runner whose cells are coverage. */
struct runner *target_runner(void);
/* Runs it with the same handles, whatever ran before, and counts it; ends at a finding. */
void target_run(struct runner *runner, const struct program *program, struct runner_result *result);

/* Tells what was found, in which program (with a plan or a schedule, if it has one), and aborts: the engine saves the input. */
_Noreturn void target_stop(const struct program *program, const struct runner_finding *finding);
/* The same in two steps, for what has more to say: prints finding and program, and aborts. */
void target_tell(const struct program *program, const struct runner_finding *finding);
_Noreturn void target_save(const struct program *program);

#endif
