/* SPDX-License-Identifier: MIT */
/* How an engine changes the inputs of a target that takes programs: by operations and operands. */
#include "targets/target.h"

#include "engine/engine.h"

static struct engine engine;

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
    return engine_mutate(&engine, bytes, size, room, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
                                 size_t second_size, uint8_t *out, size_t room, unsigned seed)
{
    return engine_crossover(&engine, first, first_size, second, second_size, out, room, seed);
}
