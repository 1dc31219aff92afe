/* SPDX-License-Identifier: MIT */
/*
 * The engine as a custom mutator of AFL++: the calls that afl-fuzz looks for in
 * AFL_CUSTOM_MUTATOR_LIBRARY (version 4.04c; docs/custom_mutators.md there).
 * What is done to programs is fuzz/engine's, as it is for libFuzzer.
 *
 * DXGKMEM_AFL_WOVEN in the environment says that the target runs threads: then
 * programs keep and get a section for them.
 *
 * Splicing: afl-fuzz hands a second input to the fuzz call; half of the calls
 * cross the two programs.
 */
#include "engine/engine.h"
#include "engine/random.h"
#include "engine/trim.h"

#include <stdio.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))
/* As long as inputs of the other engine become. Longer ones come in from outside only. */
#define INPUT_BYTES 2048

EXPORT void *afl_custom_init(void *afl, unsigned seed);
EXPORT void afl_custom_deinit(void *data);
EXPORT size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t size, uint8_t **out, uint8_t *other,
                              size_t other_size, size_t max);
EXPORT size_t afl_custom_havoc_mutation(void *data, uint8_t *bytes, size_t size, uint8_t **out, size_t max);
EXPORT uint8_t afl_custom_havoc_mutation_probability(void *data);
EXPORT const char *afl_custom_describe(void *data, size_t room);
EXPORT int afl_custom_init_trim(void *data, uint8_t *bytes, size_t size);
EXPORT size_t afl_custom_trim(void *data, uint8_t **out);
EXPORT int afl_custom_post_trim(void *data, uint8_t success);

struct mutator {
    struct random random;
    struct engine engine;
    bool woven;
    uint8_t bytes[PROGRAM_BYTES];
    const char *last; /* what the last mutation was */
    struct program program;
    struct trim trim;
    int offers, offer;
    bool more;
    uint8_t trimmed[PROGRAM_BYTES];
};

void *afl_custom_init(void *afl, unsigned seed)
{
    struct mutator *mutator = calloc(1, sizeof *mutator);

    (void)afl;
    if (!mutator) {
        fputs("dxgkmem_afl: no memory\n", stderr);
        exit(2);
    }
    mutator->random.state = seed;
    mutator->woven = getenv("DXGKMEM_AFL_WOVEN") != NULL;
    mutator->last = "none";
    return mutator;
}

void afl_custom_deinit(void *data)
{
    free(data);
}

static size_t mutate(struct mutator *mutator, const uint8_t *bytes, size_t size)
{
    if (mutator->woven) {
        program_decode(&mutator->engine.program[0], bytes, size);
        engine_mutate_woven(&mutator->engine.program[0], &mutator->engine.program[1],
                            random_next(&mutator->random));
        return engine_write(&mutator->engine.program[0], mutator->bytes, INPUT_BYTES);
    }
    for (size_t i = 0; i < size; i++)
        mutator->bytes[i] = bytes[i];
    return engine_mutate(&mutator->engine, mutator->bytes, size, INPUT_BYTES, random_next(&mutator->random));
}

size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t size, uint8_t **out, uint8_t *other,
                       size_t other_size, size_t max)
{
    struct mutator *mutator = data;

    (void)max; /* the length of the longest seed, which is no bound for programs */
    if (size > INPUT_BYTES)
        size = INPUT_BYTES;
    *out = mutator->bytes;
    if (!other || random_chance(&mutator->random, 128)) {
        mutator->last = "mutate";
        return mutate(mutator, bytes, size);
    }
    mutator->last = "splice";
    size = engine_crossover(&mutator->engine, bytes, size, other, other_size, mutator->bytes, INPUT_BYTES,
                            random_next(&mutator->random));
    if (!mutator->woven)
        return size;
    program_decode(&mutator->engine.program[0], mutator->bytes, size);
    if (!engine_is_woven(&mutator->engine.program[0]))
        engine_weave(&mutator->engine.program[0], &mutator->engine.program[1], random_next(&mutator->random));
    return engine_write(&mutator->engine.program[0], mutator->bytes, INPUT_BYTES);
}

/* For instances that mix it with afl-fuzz's own mutations, which make many changes on top of each other. */
size_t afl_custom_havoc_mutation(void *data, uint8_t *bytes, size_t size, uint8_t **out, size_t max)
{
    struct mutator *mutator = data;

    (void)max;
    mutator->last = "havoc";
    *out = mutator->bytes;
    return mutate(mutator, bytes, size < INPUT_BYTES ? size : INPUT_BYTES);
}

uint8_t afl_custom_havoc_mutation_probability(void *data)
{
    (void)data;
    return 30;
}

/* Part of the name of a new file in the queue. */
const char *afl_custom_describe(void *data, size_t room)
{
    const struct mutator *mutator = data;

    (void)room; /* one word */
    return mutator->last;
}

/* -- trimming: afl-fuzz runs each offer and says whether it reaches the same ------------ */

static int next_offer(struct mutator *mutator)
{
    mutator->more = trim_offer(&mutator->trim);
    mutator->offer++;
    return mutator->more && mutator->offer < mutator->offers ? mutator->offer : mutator->offers;
}

int afl_custom_init_trim(void *data, uint8_t *bytes, size_t size)
{
    struct mutator *mutator = data;

    program_decode(&mutator->program, bytes, size);
    mutator->offers = (int)trim_begin(&mutator->trim, &mutator->program);
    mutator->offer = -1;
    return next_offer(mutator) < mutator->offers ? mutator->offers : 0;
}

size_t afl_custom_trim(void *data, uint8_t **out)
{
    struct mutator *mutator = data;

    *out = mutator->trimmed;
    return program_encode(&mutator->trim.offered, mutator->trimmed, sizeof mutator->trimmed);
}

int afl_custom_post_trim(void *data, uint8_t success)
{
    struct mutator *mutator = data;

    trim_answer(&mutator->trim, success != 0);
    return next_offer(mutator);
}
