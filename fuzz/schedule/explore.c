/* SPDX-License-Identifier: MIT */
/* Implements explore.h. */
#include "schedule/explore.h"

#include "tool/tool.h"

#include <stdlib.h>
#include <string.h>

#define STEPS 8192   /* of one run that are remembered; later ones are plain */
#define PLACES 16384 /* distinct addresses of a run; a power of two */

/* One decision of the current run. */
struct decision {
    uint8_t current; /* who ran; SCHEDULED_NOBODY */
    uint8_t enabled; /* bits */
    uint8_t chosen;
    uint8_t tried; /* bits: choices that are done, or not worth trying */
    bool forced;   /* the current thread could not go on */
    bool opened;   /* its choices are known */
    bool write;    /* what the current thread was about to do */
    uintptr_t address;
};

struct place {
    uintptr_t address;
    uint8_t readers, writers; /* bits: threads that touch it later in the run */
};

struct explore {
    unsigned steps;  /* decisions of the last run */
    unsigned prefix; /* of these the first are repeated */
    struct decision decision[STEPS];
    struct place place[PLACES];
    bool stopped; /* at the limit */
    unsigned switches;
    struct section_switch switched[PROGRAM_OPERATIONS];
};

static unsigned choose(void *context, const struct scheduled_state *state)
{
    struct explore *explore = context;
    unsigned plain = strategy_plain(state);
    bool running = state->current != SCHEDULED_NOBODY;
    struct decision *decision;

    if (state->step >= STEPS)
        return plain;
    decision = &explore->decision[state->step];
    explore->steps = (unsigned)state->step + 1;
    /* The first run may have met empty caches of the machine and so have taken other steps. */
    if (state->step < explore->prefix)
        return state->enabled >> decision->chosen & 1 ? decision->chosen : plain;
    const struct scheduled_point *point = running ? &state->point[state->current] : NULL;
    *decision = (struct decision){
        .current = (uint8_t)state->current,
        .enabled = (uint8_t)state->enabled,
        .chosen = (uint8_t)plain,
        .forced = !running || !(state->enabled >> state->current & 1),
        .address = point ? point->address : 0,
        .write = point && point->kind != SCHEDULED_READ,
    };
    return plain;
}

struct explore *explore_create(void)
{
    return tool_alloc(sizeof(struct explore));
}

void explore_destroy(struct explore *explore)
{
    free(explore);
}

void explore_options(struct explore *explore, struct concurrent_options *options)
{
    options->context = explore;
    options->choose = choose;
}

static struct place *place_of(struct explore *explore, uintptr_t address)
{
    size_t at = (address >> 3) * 0x9e3779b1u % PLACES;

    while (explore->place[at].address != address && explore->place[at].address != 0)
        at = (at + 1) % PLACES;
    explore->place[at].address = address;
    return &explore->place[at];
}

/* Of the decisions that are new in this run: which are worth another choice. From the end, so that what comes later is known. */
static void open_decisions(struct explore *explore)
{
    memset(explore->place, 0, sizeof explore->place);
    for (unsigned at = explore->steps; at-- > 0;) {
        struct decision *decision = &explore->decision[at];
        uint8_t self = decision->current < SCHEDULED_THREADS ? (uint8_t)(1u << decision->current) : 0;
        bool contended = false;

        if (decision->address != 0) {
            struct place *place = place_of(explore, decision->address);

            contended = ((place->writers | (decision->write ? place->readers : 0)) & ~self) != 0;
            *(decision->write ? &place->writers : &place->readers) |= self;
        }
        if (decision->opened)
            continue;
        decision->opened = true;
        decision->tried = (uint8_t)(1u << decision->chosen);
        if (!decision->forced && !contended)
            decision->tried = decision->enabled;
    }
}

static unsigned free_switches(const struct explore *explore, unsigned before)
{
    unsigned count = 0;

    for (unsigned at = 0; at < before; at++)
        count +=
            !explore->decision[at].forced && explore->decision[at].chosen != explore->decision[at].current;
    return count;
}

/* The last decision that has another choice becomes the end of the next run's prefix; false: none has. */
static bool next_prefix(struct explore *explore, unsigned bound)
{
    for (unsigned at = explore->steps; at-- > 0;) {
        struct decision *decision = &explore->decision[at];
        uint8_t left = (uint8_t)(decision->enabled & ~decision->tried);

        if (!left || (!decision->forced && free_switches(explore, at) >= bound))
            continue;
        decision->chosen = (uint8_t)__builtin_ctz(left);
        decision->tried |= (uint8_t)(1u << decision->chosen);
        explore->prefix = at + 1;
        return true;
    }
    return false;
}

bool explore_run(struct explore *explore, struct concurrent *concurrent, const struct program *program,
                 unsigned bound, uint64_t limit, struct concurrent_result *result, uint64_t *schedules)
{
    *schedules = 0;
    explore->prefix = 0;
    explore->stopped = false;
    concurrent_run(concurrent, program, 0, result); /* so that all that is counted find the same caches */
    if (result->invariant)
        return true;
    do {
        explore->steps = 0;
        concurrent_run(concurrent, program, 0, result);
        ++*schedules;
        if (result->invariant)
            return true;
        if (concurrent_section(concurrent)->threads < 2)
            return false;
        open_decisions(explore);
        if (!next_prefix(explore, bound))
            return false;
    } while (*schedules < limit);
    explore->stopped = true;
    return false;
}

bool explore_stopped(const struct explore *explore)
{
    return explore->stopped;
}

unsigned explore_switches(struct explore *explore, const struct section_switch **switched)
{
    explore->switches = 0;
    for (unsigned at = 0; at < explore->steps && explore->switches < PROGRAM_OPERATIONS; at++) {
        const struct decision *decision = &explore->decision[at];
        unsigned plain = decision->forced ? (unsigned)__builtin_ctz(decision->enabled) : decision->current;

        if (decision->chosen != plain)
            explore->switched[explore->switches++] = (struct section_switch){at, decision->chosen};
    }
    *switched = explore->switched;
    return explore->switches;
}
