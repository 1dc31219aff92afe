/* SPDX-License-Identifier: MIT */
/*
 * The machine and the implementation that a run is on, as the runner asks them: through the provider's table,
 * with an answer for members that it does not offer.
 */
#ifndef DXGKMEM_PROGRAM_MACHINE_H
#define DXGKMEM_PROGRAM_MACHINE_H

#include "runner_internal.h"

/* Whether the provider offers a member. */
#define OFFERS(runner, member) ((runner)->provider->member != NULL)

/* -- conditions ------------------------------------------------------------------ */

static inline void machine_set_irql(struct runner *runner, unsigned irql)
{
    runner->machine_irql = irql;
    if (OFFERS(runner, set_irql))
        runner->provider->set_irql(runner->sim, irql);
}

static inline unsigned machine_fault_fired(const struct runner *runner)
{
    return OFFERS(runner, fault_fired) ? runner->provider->fault_fired(runner->sim) : 0;
}

static inline uint64_t machine_fallible_calls(const struct runner *runner)
{
    return OFFERS(runner, fallible_calls) ? runner->provider->fallible_calls(runner->sim) : 0;
}

/* -- what is true ------------------------------------------------------------------- */

/* Whether it may have changed since; where nobody knows, it has. */
static inline bool machine_changed(const struct runner *runner)
{
    return !OFFERS(runner, changes) || runner->provider->changes(runner->sim) != runner->changes;
}

static inline void machine_note_changes(struct runner *runner)
{
    if (OFFERS(runner, changes))
        runner->changes = runner->provider->changes(runner->sim);
}

static inline uint64_t machine_digest(const struct runner *runner)
{
    return OFFERS(runner, digest) ? runner->provider->digest(runner->sim) : 0;
}

/* Of the world's description: it does not change. */
static inline bool machine_touches_ram(const struct runner *runner, struct dxgkmem_run run)
{
    const struct dxgkmem_sim_config *config = &runner->here->machine;

    for (unsigned i = 0; i < config->ranges; i++) {
        const struct dxgkmem_sim_range *range = &config->range[i];

        if (!range->io && run.pages != 0 && run.page < range->page + range->pages &&
            (run.page >= range->page || run.pages > range->page - run.page))
            return true;
    }
    return false;
}

/* -- use of memory -------------------------------------------------------------------- */

/*
 * One access of eight bytes by the CPU. Where mappings are real memory it is made as it is, and only when it
 * may be: an access that must fault would end the process.
 */
static inline bool machine_can_read(const struct runner *runner, bool must_fault)
{
    return OFFERS(runner, cpu_read) || !must_fault;
}

static inline bool machine_cpu_read(struct runner *runner, const void *address, uint64_t *value)
{
    if (OFFERS(runner, cpu_read))
        return runner->provider->cpu_read(runner->sim, address, value, sizeof(*value));
    memcpy(value, address, sizeof(*value));
    return true;
}

static inline bool machine_cpu_write(struct runner *runner, void *address, const uint64_t *value)
{
    if (OFFERS(runner, cpu_write))
        return runner->provider->cpu_write(runner->sim, address, value, sizeof(*value));
    memcpy(address, value, sizeof(*value));
    return true;
}

#endif
