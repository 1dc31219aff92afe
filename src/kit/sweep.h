/* SPDX-License-Identifier: MIT */
/* The worlds of a harness, and lives in them: as many as wanted, and one for each failure and pair of failures. */
#ifndef DXGKMEM_KIT_SWEEP_H
#define DXGKMEM_KIT_SWEEP_H

#include "kit.h"

#define KIT_WORLDS 4
/* How many there are; they depend on the harness. */
unsigned kit_worlds(struct kit_world world[KIT_WORLDS]);

struct kit_count {
    unsigned long lives;
    unsigned calls;               /* that can fail, in the life that is swept */
    unsigned long singles, pairs; /* failures that were swept */
};

/* One life that goes by kit_plan (random, input and fail are set). NULL, or what was impossible. */
const char *kit_one_life(struct kit_count *count);
const char *kit_rounds(unsigned long rounds, uint64_t seed, struct kit_count *count);
const char *kit_sweep(enum kit_sweep sweep, uint64_t seed, struct kit_count *count);

#endif
