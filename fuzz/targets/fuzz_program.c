/* SPDX-License-Identifier: MIT */
/*
 * Property: whatever a driver, a device and the system do, in any order, right
 * or wrong, the callbacks answer as the model says and every invariant of
 * fuzz/model/INVARIANTS.md holds after every single operation.
 *
 * Input: a program in binary form. Mutation works on operations and operands.
 */
#include "targets/target.h"

static struct runner *runner;
static struct program program;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    runner = target_runner();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct runner_result result;

    program_decode(&program, bytes, size);
    target_run(runner, &program, &result);
    return 0;
}
