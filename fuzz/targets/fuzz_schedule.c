/* SPDX-License-Identifier: MIT */
/*
 * Property: whatever several threads call at the same time, in whatever way they take turns, each call
 * answers as in some order of single calls, no thread waits for ever, and instance and machine are sound when
 * the threads are gone (invariant 19).
 *
 * Input: a program in binary form with a section for threads and the seed of its schedule; see
 * schedule/section.h. It is run with several seeds that follow from that one.
 */
#include "engine/engine.h"
#include "program/operands.h"
#include "schedule/concurrent.h"
#include "targets/status.h"
#include "targets/target.h"
#include "tool/report.h"

#include <stdio.h>

#define RUNS 4 /* of one input */

/* Which place was left for which: what the schedule reached, beside the edges of the code. */
#define TURNS 8192
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t turns[TURNS];

static struct concurrent *concurrent;
static struct program program, room;
static struct engine engine;

static uint64_t place(const struct scheduled_point *point)
{
    return (uintptr_t)point->file * 31u + (uint64_t)point->line * 8u + (uint64_t)point->kind;
}

static void take_turn(void *context, const struct scheduled_state *state, unsigned chosen)
{
    uint64_t pair;

    (void)context;
    if (state->current == SCHEDULED_NOBODY || chosen == state->current)
        return;
    pair = (place(&state->point[state->current]) * 0x9e3779b97f4a7c15u) ^ place(&state->point[chosen]);
    turns[(pair * 0x9e3779b97f4a7c15u) >> 51] = 1;
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const struct concurrent_options options = {.turn = take_turn};

    (void)count;
    (void)arguments;
    status_start(NULL);
    concurrent = target_made(concurrent_create(&options));
    return 0;
}

static void stop(const struct concurrent_result *result)
{
    const struct strategy *strategy = concurrent_strategy(concurrent);
    bool spelled =
        !strategy->lost && section_spell_out(&program, strategy->switched, strategy->switches, &room);

    status_write();
    fprintf(stderr, "\nfinding: invariant %u: %s\n  %s\n", result->invariant,
            report_invariant(result->invariant), result->message);
    target_save(spelled ? &room : &program);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct concurrent_result result;

    program_decode(&program, bytes, size);
    for (unsigned run = 0; run < RUNS; run++) {
        concurrent_run(concurrent, &program, run, &result);
        if (result.invariant)
            stop(&result);
        if (concurrent_section(concurrent)->threads < 2 ||
            concurrent_strategy(concurrent)->kind == PROGRAM_STRATEGY_LISTED)
            break;
    }
    status_count(&program, &(struct runner_result){.callbacks = 0});
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed)
{
    program_decode(&program, bytes, size);
    engine_mutate_woven(&program, &room, seed);
    return engine_write(&program, bytes, most);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
                                 size_t second_size, uint8_t *out, size_t most, unsigned seed)
{
    size_t size = engine_crossover(&engine, first, first_size, second, second_size, out, most, seed);

    program_decode(&program, out, size);
    if (!engine_is_woven(&program))
        engine_weave(&program, &room, seed);
    return engine_write(&program, out, most);
}
