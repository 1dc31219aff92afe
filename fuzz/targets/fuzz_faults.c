/* SPDX-License-Identifier: MIT */
/*
 * Property: whichever one or two of the host's fallible calls fail while a program runs, each call
 * that failed changed nothing, the model agrees with the rest, and nothing is left at the end.
 *
 * Input: a program in binary form. Its fail lines are the plan: their numbers are taken
 * modulo the calls that there are, so that every plan hits.
 */
#include "engine/faults.h"
#include "targets/target.h"

static struct runner *runner;
static struct program program, planned;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    runner = target_runner();
    return 0;
}

/* Runs the program with this plan; returns how many fallible calls were made. */
static uint64_t run(struct faults_plan plan)
{
    struct runner_result result;

    faults_put_in(&planned, &program, plan);
    target_run(runner, &planned, &result);
    return result.fallible_calls;
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
