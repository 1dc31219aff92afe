/* SPDX-License-Identifier: MIT */
/* Implements strategy.h. */
#include "schedule/strategy.h"

#include "program/operands.h"

#define STEPS_A_LINE 64 /* about what one callback takes; where PCT looks for its changes */

void strategy_begin(struct strategy *strategy, const struct section *section, unsigned run)
{
    strategy->kind = section->strategy;
    strategy->random.state = section->seed + ((uint64_t)run << 32);
    strategy->section = section;
    strategy->switches = strategy->lost = 0;
    /* a random order of the threads, by insertion */
    for (unsigned thread = 0; thread < SCHEDULED_THREADS; thread++) {
        unsigned place = random_below(&strategy->random, thread + 1);

        strategy->priority[thread] = STRATEGY_CHANGES + 1 + place;
        for (unsigned other = 0; other < thread; other++)
            strategy->priority[other] += strategy->priority[other] >= strategy->priority[thread];
    }
    strategy->lowest = STRATEGY_CHANGES;
    strategy->changes = section->bound > 1 ? (unsigned)((section->bound - 1) % STRATEGY_CHANGES) : 0;
    for (unsigned i = 0; i < strategy->changes; i++)
        strategy->change[i] = random_below(&strategy->random, section->lines * STEPS_A_LINE);
}

unsigned strategy_plain(const struct scheduled_state *state)
{
    if (state->current != SCHEDULED_NOBODY && state->enabled >> state->current & 1)
        return state->current;
    return (unsigned)__builtin_ctz(state->enabled);
}

static unsigned choose_random(struct strategy *strategy, const struct scheduled_state *state)
{
    /* Mostly it stays: otherwise no thread ever gets far ahead of the others. */
    if (random_below(&strategy->random, 8) != 0)
        return strategy_plain(state);
    return random_bit(&strategy->random, state->enabled);
}

static unsigned choose_by_priority(struct strategy *strategy, const struct scheduled_state *state)
{
    unsigned best = SCHEDULED_NOBODY;

    for (unsigned i = 0; i < strategy->changes; i++)
        if (strategy->change[i] == state->step && state->current != SCHEDULED_NOBODY)
            strategy->priority[state->current] = strategy->lowest--;
    for (unsigned thread = 0; thread < state->threads; thread++)
        if (state->enabled >> thread & 1 &&
            (best == SCHEDULED_NOBODY || strategy->priority[thread] > strategy->priority[best]))
            best = thread;
    return best;
}

static unsigned choose_listed(const struct strategy *strategy, const struct scheduled_state *state)
{
    const struct section *section = strategy->section;

    for (unsigned i = 0; i < section->switches; i++)
        if (section->switched[i].step == state->step && section->switched[i].to < state->threads &&
            state->enabled >> section->switched[i].to & 1)
            return section->switched[i].to;
    return strategy_plain(state);
}

unsigned strategy_choose(struct strategy *strategy, const struct scheduled_state *state)
{
    unsigned chosen = strategy->kind == PROGRAM_STRATEGY_RANDOM ? choose_random(strategy, state)
                      : strategy->kind == PROGRAM_STRATEGY_PCT  ? choose_by_priority(strategy, state)
                                                                : choose_listed(strategy, state);

    if (chosen == strategy_plain(state))
        return chosen;
    if (strategy->switches < STRATEGY_SWITCHES)
        strategy->switched[strategy->switches++] = (struct section_switch){state->step, chosen};
    else
        strategy->lost++;
    return chosen;
}
