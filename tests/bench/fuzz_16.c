/* SPDX-License-Identifier: MIT */
/*
 * fuzz_program as it is measured: the same mutator, runner, model and invariants, with programs
 * held at 16 operations. Compared with fuzz_baseline.c.
 */
#include "engine/engine.h"
#include "program/runner.h"
#include "tool/report.h"

#include <dxgkmem/user.h>

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed);

#define OPERATIONS 16

static struct runner *runner;
static struct program program, more;
static struct engine engine;

static void ignore_cell(void *context, unsigned cell)
{
    (void)context;
    (void)cell;
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const struct runner_options options = {.cell = ignore_cell};

    (void)count;
    (void)arguments;
    runner = runner_create(&options);
    if (!runner)
        exit(2);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct runner_result result;

    program_decode(&program, bytes, size);
    dxgkmem_user_seed(1);
    runner_run(runner, &program, &result);
    if (result.finding.invariant) {
        report_finding(stderr, NULL, &program, NULL, &result.finding);
        abort();
    }
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
    size = engine_mutate(&engine, bytes, size, room, seed);
    program_decode(&program, bytes, size);
    if (program.lines < OPERATIONS) {
        engine_generate(&more, seed, OPERATIONS - program.lines);
        for (unsigned i = program.lines; i < OPERATIONS; i++)
            program.line[i] = more.line[i - program.lines];
    }
    program.lines = OPERATIONS;
    return engine_write(&program, bytes, room);
}
