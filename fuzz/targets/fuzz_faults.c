/* SPDX-License-Identifier: MIT */
/*
 * Property: whichever one or two of the host's fallible calls fail while a program runs, each call
 * that failed changed nothing, the model agrees with the rest, and nothing is left at the end.
 *
 * Input: a program in binary form. Its fail lines are the plan: their numbers are taken
 * modulo the calls that there are, so that every plan hits.
 */
#include "engine/engine.h"
#include "engine/faults.h"
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
static struct program program, planned;
static struct engine engine;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const struct runner_options options = {.cell = status_cell};

    (void)count;
    (void)arguments;
    status_start();
    runner = runner_create(&options);
    if (!runner) {
        fputs("fuzz_faults: no memory\n", stderr);
        exit(2);
    }
    return 0;
}

/* Runs the program with this plan; returns how many fallible calls were made. */
static uint64_t run(struct faults_plan plan)
{
    struct runner_result result;

    faults_put_in(&planned, &program, plan);
    dxgkmem_user_seed(1); /* the same handles, whatever ran before */
    runner_run(runner, &planned, &result);
    status_count(&planned, &result);
    if (!result.finding.invariant)
        return result.fallible_calls;
    status_write();
    fputs("\n", stderr);
    report_finding(stderr, NULL, &planned, NULL, &result.finding);
    fputs("program:\n", stderr);
    report_program(stderr, &planned);
    fputs("end of program\n", stderr);
    abort(); /* the engine saves the input */
}

/* One of `calls` calls, from 1. */
static uint64_t choose(uint64_t number, uint64_t calls)
{
    return (number + calls - 1) % calls + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct faults_plan asked, plan = {0, 0};
    uint64_t calls;

    program_decode(&program, bytes, size);
    asked = faults_take_out(&program);
    calls = run(plan);
    if (calls == 0)
        return 0;
    plan.first = choose(asked.first, calls);
    calls = run(plan);
    if (calls == plan.first)
        return 0;
    plan.second = choose(asked.second, calls - plan.first);
    run(plan);
    return 0;
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
