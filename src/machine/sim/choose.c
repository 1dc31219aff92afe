/* SPDX-License-Identifier: MIT */
/*
 * Which pages an object gets: the lowest that meet the constraints, scattered on
 * purpose where neighbours were not asked for. Owns the search; the bitmaps it
 * searches belong to pages.c.
 */
#include "sim_internal.h"

/* The part of physical memory that is searched at present. */
struct window {
    uint64_t low;
    uint64_t high; /* inclusive */
    uint64_t skip; /* 0: there is no further one */
};

static uint64_t ram_end(const struct dxgkmem_sim *sim)
{
    return sim->pages.ram[sim->pages.ranges - 1].last;
}

/* a / b; a 32-bit kernel has no library for it. */
static uint64_t divide(uint64_t a, uint64_t b)
{
#if UINTPTR_MAX > 0xffffffffu
    return a / b;
#else
    uint64_t quotient = 0;

    for (unsigned shift = 64; shift-- != 0;) {
        if (a >> shift >= b) {
            a -= b << shift;
            quotient |= (uint64_t)1 << shift;
        }
    }
    return quotient;
#endif
}

static struct window window_begin(const struct dxgkmem_memory_request *request)
{
    struct window window = {request->lowest_page, request->highest_page, 0};

    if (request->type == DXGK_PHYSICAL_MEMORY_TYPE_SECTION) {
        window.low = 0;
        window.high = SIM_NONE >> 1;
    }
    if (request->type == DXGK_PHYSICAL_MEMORY_TYPE_MDL)
        window.skip = request->skip_pages;
    return window;
}

/* The first page in [from, to] that can be taken. */
static uint64_t first_free(struct dxgkmem_sim *sim, uint64_t from, uint64_t to)
{
    for (unsigned i = 0; i < sim->pages.ranges; i++) {
        const struct sim_range *ram = &sim->pages.ram[i];
        uint64_t low = from > ram->first ? from : ram->first;
        uint64_t high = sim_least(to, ram->last);
        uint64_t page = low <= high ? sim_tree_free(sim, low, high) : SIM_NONE;

        if (page != SIM_NONE)
            return page;
    }
    return SIM_NONE;
}

/*
 * Both ends move by skip. Windows that overlap or touch cover all that follows, so
 * one large window replaces them; between others, those without a free page are
 * passed over.
 */
static bool window_next(struct dxgkmem_sim *sim, struct window *window)
{
    uint64_t free;

    if (window->skip == 0 || window->low > ram_end(sim) || window->high < window->low)
        return false;
    if (window->skip <= window->high - window->low + 1) {
        window->high = ram_end(sim);
        window->skip = 0;
        return window->high >= window->low;
    }
    window->low += window->skip;
    window->high += window->skip;
    free = first_free(sim, window->low, ram_end(sim));
    if (free == SIM_NONE)
        return false;
    if (free > window->high) {
        uint64_t windows = divide(free - window->low, window->skip);

        window->low += windows * window->skip;
        window->high += windows * window->skip;
    }
    return true;
}

/* Whether a window, this one or a later one, is wide enough for a run: all that stay apart are equally wide. */
static bool window_can_hold(const struct window *window, uint64_t pages)
{
    uint64_t width = window->high - window->low + 1;
    return width >= pages || window->skip <= width;
}

/* A free run within the window: a multiple of align, across no multiple of boundary (0: any). */
static uint64_t find_run_in_ram(struct dxgkmem_sim *sim, uint64_t low, uint64_t high, uint64_t pages,
                                uint64_t align, uint64_t boundary)
{
    uint64_t page = low;

    for (;;) {
        uint64_t free, taken;

        page = (page + align - 1) & ~(align - 1);
        if (boundary != 0 && ((page ^ (page + pages - 1)) & ~(boundary - 1)) != 0) {
            if (pages > boundary)
                return SIM_NONE;
            page = (page | (boundary - 1)) + 1;
            continue;
        }
        if (page > high || high - page < pages - 1)
            return SIM_NONE;
        free = sim_tree_free(sim, page, high);
        if (free == SIM_NONE)
            return SIM_NONE;
        if (free != page) {
            page = free;
            continue;
        }
        taken = sim_tree_taken(sim, page, page + pages);
        if (taken == page + pages)
            return page;
        page = taken + 1;
    }
}

static uint64_t find_run(struct dxgkmem_sim *sim, const struct window *window, uint64_t pages, uint64_t align,
                         uint64_t boundary)
{
    for (unsigned i = 0; i < sim->pages.ranges; i++) {
        const struct sim_range *ram = &sim->pages.ram[i];
        uint64_t low = window->low > ram->first ? window->low : ram->first;
        uint64_t high = sim_least(window->high, ram->last);
        uint64_t page;

        if (low > high || high - low < pages - 1)
            continue;
        page = find_run_in_ram(sim, low, high, pages, align, boundary);
        if (page != SIM_NONE)
            return page;
    }
    return SIM_NONE;
}

/* Takes a run that was found. False: the host has no memory. */
static bool take(struct dxgkmem_sim *sim, uint64_t first, uint64_t pages)
{
    uint64_t end = first + pages;

    for (uint64_t page = first; page < end; page = (page | SIM_CHUNK_MASK) + 1) {
        if (sim_chunk_make_locked(sim, page) == NULL)
            return false;
    }
    sim_tree_take(sim, first, pages);
    return true;
}

static bool beyond_limit(const struct dxgkmem_sim *sim, uint64_t pages)
{
    const struct sim_pages *all = &sim->pages;

    return pages > all->ram_pages - all->taken || pages > all->limit || all->taken > all->limit - pages;
}

/* -- runs ------------------------------------------------------------------------ */

bool sim_request_is_run(const struct dxgkmem_memory_request *request)
{
    switch (request->type) {
    case DXGK_PHYSICAL_MEMORY_TYPE_MDL:
        return request->pages == 1 || request->chunk_pages == DXGKMEM_CHUNK_WHOLE ||
               request->chunk_pages >= request->pages;
    case DXGK_PHYSICAL_MEMORY_TYPE_SECTION:
        return request->pages == 1;
    default:
        return true;
    }
}

/*
 * A single page for another shard than the first: from a chunk of its own, so that
 * threads do not write to each other's cache lines of metadata.
 */
static bool take_apart(struct dxgkmem_sim *sim, unsigned shard, const struct dxgkmem_memory_request *request,
                       uint64_t *first)
{
    struct window window = window_begin(request);
    uint64_t low = sim->pages.lowest + ((uint64_t)shard << SIM_CHUNK_SHIFT);
    uint64_t page;

    if (shard == 0 || request->pages != 1 || request->chunk_pages > 1)
        return false;
    page = first_free(sim, window.low > low ? window.low : low, window.high);
    if (page == SIM_NONE || !take(sim, page, 1))
        return false;
    *first = page;
    return true;
}

static NTSTATUS take_run_locked(struct dxgkmem_sim *sim, unsigned shard,
                                const struct dxgkmem_memory_request *request, uint64_t *first)
{
    struct window window = window_begin(request);
    bool mdl = request->type == DXGK_PHYSICAL_MEMORY_TYPE_MDL;
    bool contiguous = request->type == DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY;
    uint64_t boundary = contiguous ? request->boundary_pages : 0;
    uint64_t align = mdl && request->chunk_pages != 0 && request->chunk_pages != DXGKMEM_CHUNK_WHOLE
                         ? request->chunk_pages
                         : 1;
    uint64_t page;

    if (beyond_limit(sim, request->pages))
        return STATUS_NO_MEMORY;
    if (take_apart(sim, shard, request, first))
        return STATUS_SUCCESS;
    do {
        page = find_run(sim, &window, request->pages, align, boundary);
    } while (page == SIM_NONE && window_can_hold(&window, request->pages) && window_next(sim, &window));
    if (page == SIM_NONE)
        return STATUS_NO_MEMORY;
    if (!take(sim, page, request->pages))
        return STATUS_INSUFFICIENT_RESOURCES;
    *first = page;
    return STATUS_SUCCESS;
}

/* The single that was kept last, when it will do. */
static bool take_single(struct sim_singles *singles, const struct dxgkmem_memory_request *request,
                        uint64_t *first)
{
    struct window window = window_begin(request);
    uint64_t page;

    if (singles->count == 0)
        return false;
    page = singles->page[singles->count - 1];
    if (page < window.low || page > window.high)
        return false;
    if (request->type == DXGK_PHYSICAL_MEMORY_TYPE_MDL && request->chunk_pages > 1 &&
        request->chunk_pages != DXGKMEM_CHUNK_WHOLE && (page & (request->chunk_pages - 1)) != 0)
        return false;
    singles->count--;
    *first = page;
    return true;
}

NTSTATUS sim_take_run(struct dxgkmem_sim *sim, struct sim_shard *shard,
                      const struct dxgkmem_memory_request *request, uint64_t *first)
{
    NTSTATUS status;

    if (shard != NULL && request->pages == 1 && take_single(&shard->singles, request, first))
        return STATUS_SUCCESS;
    dxgkmem_host_lock_acquire(&sim->pages.lock, SIM_RANK_PAGES);
    status = take_run_locked(sim, shard != NULL ? sim_shard_index(sim, shard) : 0, request, first);
    dxgkmem_host_lock_release(&sim->pages.lock);
    return status;
}

/* -- scattered pages --------------------------------------------------------------- */

/* Units of pages that are picked one by one: single pages, or blocks aligned to their length. */
struct picks {
    uint64_t *list;
    uint64_t pages;
    uint64_t unit;
    uint64_t taken; /* pages so far */
};

static uint64_t unit_at(const struct picks *picks, uint64_t taken)
{
    return sim_least(picks->unit, picks->pages - taken);
}

static void undo(struct dxgkmem_sim *sim, const struct picks *picks)
{
    for (uint64_t done = 0; done < picks->taken;) {
        uint64_t length = unit_at(picks, done);

        sim_tree_give(sim, picks->list[done], length);
        done += length;
    }
}

/*
 * Takes from one window, with a gap between one pick and the next; when its end is
 * reached, again from its beginning, until there is nothing left in it.
 */
static NTSTATUS pick_in_window(struct dxgkmem_sim *sim, const struct window *window, struct picks *picks)
{
    struct window rest = *window;
    bool progress = false;

    while (picks->taken < picks->pages) {
        uint64_t length = unit_at(picks, picks->taken);
        uint64_t page = length == 1 && picks->unit == 1 ? first_free(sim, rest.low, rest.high)
                                                        : find_run(sim, &rest, length, picks->unit, 0);

        if (page == SIM_NONE) {
            if (!progress)
                return STATUS_NO_MEMORY;
            rest.low = window->low;
            progress = false;
            continue;
        }
        if (!take(sim, page, length))
            return STATUS_INSUFFICIENT_RESOURCES;
        for (uint64_t i = 0; i < length; i++)
            picks->list[picks->taken + i] = page + i;
        picks->taken += length;
        rest.low = page + length + 1;
        progress = true;
    }
    return STATUS_SUCCESS;
}

/* Of every four units the first two change places, so that order is never taken for granted. */
static void disorder(const struct picks *picks)
{
    uint64_t unit = picks->unit;

    for (uint64_t at = 0; picks->pages - at >= 2 * unit;) {
        for (uint64_t i = 0; i < unit; i++) {
            uint64_t page = picks->list[at + i];

            picks->list[at + i] = picks->list[at + unit + i];
            picks->list[at + unit + i] = page;
        }
        if (picks->pages - at < 4 * unit)
            break;
        at += 4 * unit;
    }
}

NTSTATUS sim_take_scattered(struct dxgkmem_sim *sim, const struct dxgkmem_memory_request *request,
                            uint64_t *list)
{
    struct window window = window_begin(request);
    bool blocks = request->type == DXGK_PHYSICAL_MEMORY_TYPE_MDL && request->chunk_pages != 0;
    struct picks picks = {list, request->pages, blocks ? request->chunk_pages : 1, 0};
    NTSTATUS status = STATUS_NO_MEMORY;

    dxgkmem_host_lock_acquire(&sim->pages.lock, SIM_RANK_PAGES);
    if (!beyond_limit(sim, request->pages)) {
        do {
            status = pick_in_window(sim, &window, &picks);
        } while (status == STATUS_NO_MEMORY && window_next(sim, &window));
        if (!NT_SUCCESS(status))
            undo(sim, &picks);
    }
    dxgkmem_host_lock_release(&sim->pages.lock);
    if (NT_SUCCESS(status))
        disorder(&picks);
    return status;
}

/* -- giving back ------------------------------------------------------------------- */

static void give_locked(struct dxgkmem_sim *sim, const struct sim_set *set)
{
    if (set->list == NULL) {
        sim_tree_give(sim, set->first, set->pages);
        return;
    }
    for (uint64_t i = 0; i < set->pages; i++)
        sim_tree_give(sim, set->list[i], 1);
}

void sim_give(struct dxgkmem_sim *sim, struct sim_shard *shard, const struct sim_set *set)
{
    struct sim_singles *singles = shard != NULL ? &shard->singles : NULL;

    if (singles != NULL && set->pages == 1 && singles->count < SIM_SINGLES) {
        singles->page[singles->count++] = set->first;
        return;
    }
    dxgkmem_host_lock_acquire(&sim->pages.lock, SIM_RANK_PAGES);
    if (singles != NULL && set->pages == 1) {
        /* Full: the older half goes back, so that the page that ended last stays the next to be used. */
        for (unsigned i = 0; i < SIM_SINGLES / 2; i++) {
            sim_tree_give(sim, singles->page[i], 1);
            singles->page[i] = singles->page[i + SIM_SINGLES / 2];
        }
        singles->count = SIM_SINGLES / 2;
        singles->page[singles->count++] = set->first;
    } else {
        give_locked(sim, set);
    }
    dxgkmem_host_lock_release(&sim->pages.lock);
}

bool sim_give_singles(struct dxgkmem_sim *sim)
{
    bool any = false;

    for (unsigned i = 0; i < __atomic_load_n(&sim->shards, __ATOMIC_RELAXED); i++) {
        struct sim_shard *shard = &sim->shard[i];

        dxgkmem_host_lock_acquire(&shard->lock, SIM_RANK_SHARD);
        if (shard->singles.count != 0) {
            any = true;
            dxgkmem_host_lock_acquire(&sim->pages.lock, SIM_RANK_PAGES);
            while (shard->singles.count != 0)
                sim_tree_give(sim, shard->singles.page[--shard->singles.count], 1);
            dxgkmem_host_lock_release(&sim->pages.lock);
        }
        dxgkmem_host_lock_release(&shard->lock);
    }
    return any;
}
