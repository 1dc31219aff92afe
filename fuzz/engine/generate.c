/* SPDX-License-Identifier: MIT */
/* Fresh programs: an adapter first, then whatever the swarm likes. */
#include "compose.h"
#include "engine.h"

#include "program/operands.h"

static uint8_t choose_world(struct random *random)
{
    static const uint16_t weight[PROGRAM_WORLDS] = {
        [WORLD_SMALL] = 8, [WORLD_HOLES] = 4, [WORLD_HIGH] = 4, [WORLD_TINY] = 5, [WORLD_HUGE] = 1,
    };

    return (uint8_t)random_weighted(random, weight, PROGRAM_WORLDS);
}

void engine_generate(struct program *program, uint64_t seed, unsigned lines)
{
    struct composer composer = {.random = {seed}};
    unsigned count = lines < PROGRAM_OPERATIONS ? lines : PROGRAM_OPERATIONS;

    compose_swarm(&composer);
    program->world = choose_world(&composer.random);
    scope_begin(&composer.scope, program->world);
    for (unsigned i = 0; i < count; i++) {
        struct program_line *line = &program->line[i];
        if (i == 0 && !random_chance(&composer.random, 4))
            compose_operation(&composer, line, OP_ADD);
        else
            compose_line(&composer, line, i + 2 >= count);
        scope_apply(&composer.scope, line);
    }
    program->lines = (uint16_t)count;
}
