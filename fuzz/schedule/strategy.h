/* SPDX-License-Identifier: MIT */
/*
 * Who goes on: at random, by priorities that change a few times (PCT), or as listed.
 *
 * PCT: the thread with the highest priority runs; at bound - 1 random steps the running thread falls
 * to the lowest priority. A mistake that needs d particular steps in order is hit with a probability of at least
 * 1 / (threads * steps^(d-1)) a run (Burckhardt and others, 2010).
 *
 * Whatever decides, turns that differ from the plain ones are written down, so that any run can be
 * repeated as a list. The plain turn: who runs goes on; when it cannot, the lowest thread that can.
 */
#ifndef DXGKMEM_STRATEGY_H
#define DXGKMEM_STRATEGY_H

#include "engine/random.h"
#include "schedule/section.h"

#include "host/scheduled/scheduled.h"

#define STRATEGY_SWITCHES 512 /* that are written down; `lost` counts further ones */
#define STRATEGY_CHANGES 16

struct strategy {
    uint64_t kind; /* enum program_strategy */
    struct random random;
    unsigned priority[SCHEDULED_THREADS];
    unsigned lowest; /* below every priority */
    unsigned changes;
    uint64_t change[STRATEGY_CHANGES]; /* steps */
    const struct section *section;
    unsigned switches, lost;
    struct section_switch switched[STRATEGY_SWITCHES];
};

/* run: counts the runs of one section; each goes another way. */
void strategy_begin(struct strategy *strategy, const struct section *section, unsigned run);
unsigned strategy_choose(struct strategy *strategy, const struct scheduled_state *state);
/* What the plain turn would be. */
unsigned strategy_plain(const struct scheduled_state *state);

#endif
