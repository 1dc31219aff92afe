/* SPDX-License-Identifier: MIT */
/*
 * Property: no sequence of calls crashes, nor is there anything that a sanitizer
 * reports. Nothing else is checked, and bytes are mutated as bytes.
 *
 * This is fuzzing as it is done without a model. It is here to be compared
 * with: ./dev mutants shows what it finds beside what fuzz_program finds.
 */
#include "targets/target.h"

#include <dxgkmem/user.h>

static struct runner *runner;
static struct program program;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const struct runner_options options = {.no_model = true};

    (void)count;
    (void)arguments;
    runner = target_made(runner_create(&options));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct runner_result result;

    program_decode(&program, bytes, size);
    dxgkmem_user_seed(1); /* the same handles, whatever ran before */
    runner_run(runner, &program, &result);
    return 0;
}
