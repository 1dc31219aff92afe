/* SPDX-License-Identifier: MIT */
/* Worlds, rounds and sweeps. */
#include "sweep.h"

#define CONTRARY                                                                                             \
    (DXGKMEM_KIT_OFFSET | DXGKMEM_KIT_PREFER | DXGKMEM_KIT_UNASKED | DXGKMEM_KIT_HANDLES |                   \
     DXGKMEM_KIT_HIGH | DXGKMEM_KIT_UNMAPPED | DXGKMEM_KIT_STALE)
#define HIGHEST                                                                                              \
    ((uint64_t)0x1ffffffff) /* of RAM, where some lies above 4 GB: what a device must see without remapping */

unsigned kit_worlds(struct kit_world world[KIT_WORLDS])
{
    const struct dxgkmem_harness *harness = &dxgkmem_harness;
    uint32_t version = harness->version != 0 ? harness->version : (uint32_t)DXGKDDI_INTERFACE_VERSION_WDDM3_2;
    bool narrow = harness->visible != 0 && harness->visible < HIGHEST;
    unsigned identity = narrow ? CONTRARY & ~DXGKMEM_KIT_HIGH : CONTRARY;
    bool remapped = harness->domains == DXGKMEM_KIT_REMAPPED;
    unsigned count = 0;

    world[count++] = (struct kit_world){"plain", version, remapped, 0};
    if (harness->domains != DXGKMEM_KIT_REMAPPED)
        world[count++] = (struct kit_world){"identity", version, false, identity};
    if (harness->domains != DXGKMEM_KIT_IDENTITY)
        world[count++] = (struct kit_world){"remapped", version, true, CONTRARY};
    world[count++] = (struct kit_world){"old", DXGKDDI_INTERFACE_VERSION_WDDM2_8, remapped,
                                        remapped ? CONTRARY : identity};
    return count;
}

const char *kit_one_life(struct kit_count *count)
{
    const char *problem = kit_world_begin();

    kit_plan.calls = kit_plan.failed = 0;
    if (problem != NULL)
        return problem;
    (void)kit_life();
    count->lives++;
    return NULL;
}

static const char *planned(uint64_t seed, unsigned first, unsigned second, struct kit_count *count)
{
    kit_plan = (struct kit_plan){.random = seed, .fail = {first, second}};
    return kit_one_life(count);
}

const char *kit_rounds(unsigned long rounds, uint64_t seed, struct kit_count *count)
{
    const char *problem = NULL;

    for (unsigned long i = 0; i < rounds && problem == NULL; i++)
        problem = planned(seed + i, 0, 0, count);
    return problem;
}

/* A life that goes another way after its first failure has other calls that may be the second. */
static const char *sweep_seconds(uint64_t seed, unsigned first, struct kit_count *count)
{
    for (unsigned second = first + 1;; second++) {
        const char *problem = planned(seed, first, second, count);

        if (problem != NULL || kit_plan.failed < 2)
            return problem; /* the life has no call of this number */
        count->pairs++;
    }
}

const char *kit_sweep(enum kit_sweep sweep, uint64_t seed, struct kit_count *count)
{
    const char *problem = planned(seed, 0, 0, count);

    count->calls = kit_plan.calls;
    for (unsigned i = 1; sweep != KIT_SWEEP_NONE && i <= count->calls && problem == NULL; i++) {
        problem = planned(seed, i, 0, count);
        count->singles += kit_plan.failed;
    }
    for (unsigned i = 1; sweep == KIT_SWEEP_PAIRS && i <= count->calls && problem == NULL; i++)
        problem = sweep_seconds(seed, i, count);
    return problem;
}
