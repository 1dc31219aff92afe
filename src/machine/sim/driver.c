/* SPDX-License-Identifier: MIT */
/*
 * Pages that are a driver's own, not an object's: what the driver allocated elsewhere and describes by MDLs. Owns
 * who may hold them: while a record of memory_hold does, a page is nobody else's, also when the driver gave it back.
 *
 * They count neither as free nor as anybody's in the digest, so a machine is as new when only they are left.
 */
#include "sim_internal.h"

/* Zero, and the driver's from now on. */
static void become_drivers(struct dxgkmem_sim *sim, uint64_t number)
{
    struct sim_chunk *chunk = sim_chunk_find(sim, number);
    struct sim_page *page = &chunk->page[number & SIM_CHUNK_MASK];

    (void)sim_contents_zero(sim, chunk, number);
    __atomic_store_n(&page->flags, page->flags | SIM_PAGE_OWNED | SIM_PAGE_ZEROED | SIM_PAGE_DRIVER,
                     __ATOMIC_RELAXED);
}

bool dxgkmem_sim_driver_page(struct dxgkmem_sim *sim, unsigned nth, uint64_t *page)
{
    struct dxgkmem_memory_request request = {.type = DXGK_PHYSICAL_MEMORY_TYPE_MDL,
                                             .pages = DXGKMEM_SIM_DRIVER_PAGES};

    if (nth >= DXGKMEM_SIM_DRIVER_PAGES)
        return false;
    if (!sim->driver_has_pages) {
        request.highest_page = sim->pages.ram[sim->pages.ranges - 1].last;
        sim_give_singles(sim);
        if (!NT_SUCCESS(sim_take_scattered(sim, &request, sim->driver_page)))
            return false;
        for (unsigned i = 0; i < DXGKMEM_SIM_DRIVER_PAGES; i++)
            become_drivers(sim, sim->driver_page[i]);
        sim->driver_has_pages = true;
    }
    *page = sim->driver_page[nth];
    return true;
}

/* Nobody has it any more; sim_pages.lock is held. */
static void give_page(struct dxgkmem_sim *sim, struct sim_page *page, uint64_t number)
{
    __atomic_store_n(&page->flags, SIM_PAGE_RAM, __ATOMIC_RELAXED);
    sim_tree_give(sim, number, 1);
}

void dxgkmem_sim_driver_gives(struct dxgkmem_sim *sim)
{
    if (!sim->driver_has_pages)
        return;
    sim->driver_has_pages = false;
    dxgkmem_host_lock_acquire(&sim->pages.lock, SIM_RANK_PAGES);
    for (unsigned i = 0; i < DXGKMEM_SIM_DRIVER_PAGES; i++) {
        uint64_t number = sim->driver_page[i];
        struct sim_page *page = &sim_chunk_find(sim, number)->page[number & SIM_CHUNK_MASK];
        uint32_t flags = page->flags & ~SIM_PAGE_DRIVER;

        __atomic_store_n(&page->flags, flags, __ATOMIC_RELAXED);
        if (flags < SIM_PAGE_HOLD)
            give_page(sim, page, number);
    }
    dxgkmem_host_lock_release(&sim->pages.lock);
}

/* What is known of a page that the driver has; NULL: it is not one. */
static struct sim_page *drivers(const struct dxgkmem_sim *sim, uint64_t number)
{
    struct sim_chunk *chunk = number < sim->pages.end ? sim_chunk_find(sim, number) : NULL;
    struct sim_page *page = chunk != NULL ? &chunk->page[number & SIM_CHUNK_MASK] : NULL;

    return page != NULL && (page->flags & SIM_PAGE_DRIVER) != 0 ? page : NULL;
}

bool sim_driver_hold(struct dxgkmem_sim *sim, const uint64_t *number, uint64_t pages)
{
    uint64_t held = 0;

    dxgkmem_host_lock_acquire(&sim->pages.lock, SIM_RANK_PAGES);
    while (held < pages && drivers(sim, number[held]) != NULL)
        held++;
    for (uint64_t i = 0; held == pages && i < pages; i++) {
        struct sim_page *page = drivers(sim, number[i]);

        __atomic_store_n(&page->flags, page->flags + SIM_PAGE_HOLD, __ATOMIC_RELAXED);
    }
    dxgkmem_host_lock_release(&sim->pages.lock);
    return held == pages;
}

bool sim_driver_let_go(struct dxgkmem_sim *sim, struct sim_page *page, uint64_t number)
{
    bool last;

    dxgkmem_host_lock_acquire(&sim->pages.lock, SIM_RANK_PAGES);
    __atomic_store_n(&page->flags, page->flags - SIM_PAGE_HOLD, __ATOMIC_RELAXED);
    last = page->flags < SIM_PAGE_HOLD;
    if (last && (page->flags & SIM_PAGE_DRIVER) == 0)
        give_page(sim, page, number);
    dxgkmem_host_lock_release(&sim->pages.lock);
    return last;
}
