/* SPDX-License-Identifier: MIT */
/*
 * Property: whatever a driver, a device and the system do, in any order, right
 * or wrong, the callbacks answer as the model says and every invariant of
 * fuzz/model/INVARIANTS.md holds after every single operation.
 *
 * Input: a program in binary form. Mutation works on operations and operands.
 */
#include "engine/engine.h"
#include "targets/status.h"
#include "tool/report.h"

#include <dxgkmem/user.h>

#include <stdlib.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
                                 size_t second_size, uint8_t *out, size_t room, unsigned seed);

static struct runner *runner;
static struct program program;
static struct engine engine;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const struct runner_options options = {.cell = status_cell};

    (void)count;
    (void)arguments;
    status_start();
    runner = runner_create(&options);
    if (!runner) {
        fputs("fuzz_program: no memory\n", stderr);
        exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct runner_result result;

    program_decode(&program, bytes, size);
    dxgkmem_user_seed(1); /* the same handles, whatever ran before */
    runner_run(runner, &program, &result);
    status_count(&program, &result);
    if (!result.finding.invariant)
        return 0;
    status_write();
    fputs("\n", stderr);
    report_finding(stderr, NULL, &program, NULL, &result.finding);
    fputs("program:\n", stderr);
    report_program(stderr, &program);
    fputs("end of program\n", stderr);
    abort(); /* the engine saves the input */
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
    return engine_mutate(&engine, bytes, size, room, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
                                 size_t second_size, uint8_t *out, size_t room, unsigned seed)
{
    return engine_crossover(&engine, first, first_size, second, second_size, out, room, seed);
}
