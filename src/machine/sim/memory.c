/* SPDX-License-Identifier: MIT */
/*
 * Records of objects: making, zeroing, locking, ending. Owns the records and the
 * lists of page numbers; the pages themselves come from choose.c, those of a driver from driver.c.
 */
#include "sim_internal.h"

#include "sim_bytes.h"

/* -- records and lists, under the shard's lock ----------------------------------- */

static struct dxgkmem_memory *record_make(struct dxgkmem_sim *sim, struct sim_records *records)
{
    struct dxgkmem_memory *memory = records->ended;

    if (memory == NULL) {
        struct sim_slab *slab = sim_alloc(sim, sizeof *slab);

        if (slab == NULL)
            return NULL;
        slab->next = records->slabs;
        records->slabs = slab;
        for (unsigned i = 0; i < SIM_SLAB_RECORDS; i++) {
            slab->record[i].u.next = records->ended;
            records->ended = &slab->record[i];
        }
        memory = records->ended;
    }
    records->ended = memory->u.next;
    return memory;
}

static void record_end(struct sim_records *records, struct dxgkmem_memory *memory)
{
    memory->live = false;
    memory->u.next = records->ended;
    records->ended = memory;
}

/* The size class of a list of so many pages; SIM_LIST_CLASSES: too long to be kept. */
static unsigned list_class(uint64_t pages)
{
    unsigned size = 0;

    while (size < SIM_LIST_CLASSES && pages > (uint64_t)SIM_LIST_LEAST << size)
        size++;
    return size;
}

static size_t list_bytes(uint64_t pages)
{
    unsigned size = list_class(pages);

    return (size_t)(size < SIM_LIST_CLASSES ? (uint64_t)SIM_LIST_LEAST << size : pages) * sizeof(uint64_t);
}

static uint64_t *list_make(struct dxgkmem_sim *sim, struct sim_records *records, uint64_t pages)
{
    unsigned size = list_class(pages);

    if (size < SIM_LIST_CLASSES && records->list[size] != NULL) {
        union sim_list *list = records->list[size];

        records->list[size] = list->next;
        return list->page;
    }
    if (pages > SIZE_MAX / sizeof(uint64_t))
        return NULL;
    return sim_alloc(sim, list_bytes(pages));
}

static void list_end(struct dxgkmem_sim *sim, struct sim_records *records, uint64_t *page, uint64_t pages)
{
    unsigned size = list_class(pages);
    union sim_list *list = (union sim_list *)(void *)page;

    if (page == NULL)
        return;
    if (size < SIM_LIST_CLASSES) {
        list->next = records->list[size];
        records->list[size] = list;
    } else {
        sim_free(sim, page, list_bytes(pages));
    }
}

/* Ends whatever is left; its pages are the tree's to forget. */
void sim_records_reset(struct dxgkmem_sim *sim, struct sim_records *records)
{
    for (struct sim_slab *slab = records->slabs; slab != NULL; slab = slab->next) {
        for (unsigned i = 0; i < SIM_SLAB_RECORDS; i++) {
            struct dxgkmem_memory *memory = &slab->record[i];

            if (!memory->live)
                continue;
            list_end(sim, records, memory->u.set.list, memory->u.set.pages);
            record_end(records, memory);
        }
    }
}

void sim_records_destroy(struct dxgkmem_sim *sim, struct sim_records *records)
{
    for (unsigned size = 0; size < SIM_LIST_CLASSES; size++) {
        while (records->list[size] != NULL) {
            union sim_list *list = records->list[size];

            records->list[size] = list->next;
            sim_free(sim, list, list_bytes((uint64_t)SIM_LIST_LEAST << size));
        }
    }
    while (records->slabs != NULL) {
        struct sim_slab *slab = records->slabs;

        records->slabs = slab->next;
        sim_free(sim, slab, sizeof *slab);
    }
}

/* -- pages of an object ------------------------------------------------------------ */

bool sim_memory_has(struct dxgkmem_sim *sim, const struct dxgkmem_memory *memory, uint64_t first,
                    uint64_t pages)
{
    if (memory == NULL || !memory->live) {
        sim_complain(sim, "an object was used after memory_destroy");
        return false;
    }
    if (pages == 0 || first >= memory->u.set.pages || pages > memory->u.set.pages - first) {
        sim_complain(sim, "pages were named that the object does not have");
        return false;
    }
    return true;
}

/* What is known of the nth page, or NULL when nothing is. chunk: of the page before, or NULL. */
static struct sim_page *page_of(struct dxgkmem_sim *sim, const struct dxgkmem_memory *memory, uint64_t nth,
                                struct sim_chunk **chunk)
{
    uint64_t page = sim_memory_page(memory, nth);

    if (*chunk == NULL || (*chunk)->index != page >> SIM_CHUNK_SHIFT)
        *chunk = sim_chunk_find(sim, page);
    return *chunk != NULL ? &(*chunk)->page[page & SIM_CHUNK_MASK] : NULL;
}

static void set_flags(struct sim_page *page, uint32_t set, uint32_t clear)
{
    __atomic_store_n(&page->flags, (page->flags & ~clear) | set, __ATOMIC_RELAXED);
}

/* The pages are the object's from now on, or no longer. */
static void own(struct dxgkmem_sim *sim, struct sim_shard *shard, struct dxgkmem_memory *memory, bool owned)
{
    uint64_t pages = memory->u.set.pages;
    struct sim_chunk *chunk = NULL;
    uint64_t digest = 0;

    if (memory->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE) {
        digest = sim_fact(SIM_FACT_IO_SPACE, memory->u.set.first, pages);
        pages = 0;
    }
    for (uint64_t i = 0; i < pages; i++) {
        struct sim_page *page = page_of(sim, memory, i, &chunk);

        set_flags(page, owned ? SIM_PAGE_OWNED : 0, SIM_PAGE_OWNED | SIM_PAGE_ZEROED);
        digest += sim_fact(SIM_FACT_OWNED, sim_memory_page(memory, i), 0);
        if (pages == 1)
            memory->only = page;
    }
    sim_add(&shard->counters.digest, owned ? digest : (uint64_t)0 - digest);
    sim_add(&shard->counters.owned, owned ? pages : (uint64_t)0 - pages);
    sim_changed(shard);
}

/* Whether IO_SPACE can be there. */
static NTSTATUS io_space(const struct dxgkmem_sim *sim, const struct dxgkmem_memory_request *request,
                         uint64_t *first)
{
    if (request->lowest_page >= sim->pages.end || request->pages > sim->pages.end - request->lowest_page)
        return STATUS_INSUFFICIENT_RESOURCES;
    *first = request->lowest_page;
    return STATUS_SUCCESS;
}

/* Pages for the object, without a trace in the counters. The shard may be NULL: then nothing is kept. */
static NTSTATUS take_pages(struct dxgkmem_sim *sim, struct sim_shard *shard,
                           const struct dxgkmem_memory_request *request, struct sim_set *set)
{
    NTSTATUS status;

    set->pages = request->pages;
    if (request->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        return io_space(sim, request, &set->first);
    if (request->pages > sim->pages.ram_pages || request->pages > sim->pages.limit)
        return STATUS_NO_MEMORY;
    if (sim_request_is_run(request))
        return sim_take_run(sim, shard, request, &set->first);
    if (request->prefer_contiguous && request->chunk_pages == 0 &&
        request->type == DXGK_PHYSICAL_MEMORY_TYPE_MDL &&
        NT_SUCCESS(sim_take_run(sim, shard, request, &set->first)))
        return STATUS_SUCCESS;
    set->list =
        shard != NULL ? list_make(sim, &shard->records, set->pages) : sim_alloc(sim, list_bytes(set->pages));
    if (set->list == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = sim_take_scattered(sim, request, set->list);
    if (!NT_SUCCESS(status)) {
        if (shard != NULL)
            list_end(sim, &shard->records, set->list, set->pages);
        else
            sim_free(sim, set->list, list_bytes(set->pages));
        set->list = NULL;
    }
    return status;
}

/* As take_pages; pages that shards keep are given back for it when there are no others. */
static NTSTATUS take_or_recall(struct dxgkmem_sim *sim, struct sim_shard *shard,
                               const struct dxgkmem_memory_request *request, struct sim_set *set)
{
    NTSTATUS status = take_pages(sim, shard, request, set);

    if (status != STATUS_NO_MEMORY)
        return status;
    /* One shard at a time: this one is left meanwhile. What it lends to this call stays with the call. */
    sim_leave(shard);
    if (sim_give_singles(sim))
        status = STATUS_SUCCESS;
    sim_enter_shard(shard);
    return NT_SUCCESS(status) ? take_pages(sim, shard, request, set) : status;
}

bool dxgkmem_sim_could_create(struct dxgkmem_sim *sim, const struct dxgkmem_memory_request *request)
{
    struct sim_set set = {0, 0, NULL};

    /* Pages that shards keep are free in every other respect; where they are kept is no state. */
    sim_give_singles(sim);
    if (request->pages == 0 || !NT_SUCCESS(take_pages(sim, NULL, request, &set)))
        return false;
    if (request->type != DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        sim_give(sim, NULL, &set);
    if (set.list != NULL)
        sim_free(sim, set.list, list_bytes(set.pages));
    return true;
}

/* -- machine functions --------------------------------------------------------------- */

NTSTATUS sim_memory_create(struct dxgkmem_machine *machine, const struct dxgkmem_memory_request *request,
                           struct dxgkmem_memory **memory)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);
    struct dxgkmem_memory *made = NULL;
    NTSTATUS status = STATUS_NO_MEMORY;

    if (request->pages == 0)
        sim_complain(sim, "an object of no pages was asked for");
    if (!sim_fails(sim, shard) && request->pages != 0) {
        made = record_make(sim, &shard->records);
        status = STATUS_INSUFFICIENT_RESOURCES;
    }
    if (made != NULL) {
        struct sim_set set = {0, 0, NULL};

        status = take_or_recall(sim, shard, request, &set);
        if (NT_SUCCESS(status)) {
            made->u.set = set;
            made->only = NULL;
            made->windows = 0;
            made->type = (uint8_t)request->type;
            made->cache = (uint8_t)request->cache;
            made->zeroed = request->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE;
            made->live = true;
            made->held = false;
            made->locked = false;
            own(sim, shard, made, true);
            *memory = made;
        } else {
            record_end(&shard->records, made);
        }
    }
    sim_leave(shard);
    return status;
}

/* As own: of pages that are the driver's all the while. */
static void note_held(struct sim_shard *shard, const struct dxgkmem_memory *memory, bool held)
{
    uint64_t digest = 0;

    for (uint64_t i = 0; i < memory->u.set.pages; i++)
        digest += sim_fact(SIM_FACT_HELD, sim_memory_page(memory, i), 0);
    sim_add(&shard->counters.digest, held ? digest : (uint64_t)0 - digest);
    sim_changed(shard);
}

/* Fills a new record with pages that the driver holds. */
static NTSTATUS hold(struct dxgkmem_sim *sim, struct sim_shard *shard, const uint64_t *page, uint64_t pages,
                     struct dxgkmem_memory *made)
{
    uint64_t *list = list_make(sim, &shard->records, pages);

    if (list == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!sim_driver_hold(sim, page, pages)) {
        list_end(sim, &shard->records, list, pages);
        return STATUS_INVALID_ADDRESS;
    }
    memcpy(list, page, (size_t)pages * sizeof(*list));
    *made = (struct dxgkmem_memory){.u.set = {.pages = pages, .list = list},
                                    .type = DXGK_PHYSICAL_MEMORY_TYPE_MDL,
                                    .cache = DXGK_MEMORY_CACHING_TYPE_CACHED,
                                    .live = true,
                                    .zeroed = true,
                                    .held = true};
    return STATUS_SUCCESS;
}

NTSTATUS sim_memory_hold(struct dxgkmem_machine *machine, const uint64_t *page, uint64_t pages,
                         struct dxgkmem_memory **memory)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    struct dxgkmem_memory *made = NULL;

    if (!sim_fails(sim, shard))
        made = record_make(sim, &shard->records);
    if (made != NULL) {
        status = hold(sim, shard, page, pages, made);
        if (NT_SUCCESS(status)) {
            note_held(shard, made, true);
            *memory = made;
        } else {
            record_end(&shard->records, made);
        }
    }
    sim_leave(shard);
    return status;
}

/* Nobody may reach the pages any more. */
static void check_page(struct dxgkmem_sim *sim, const struct sim_page *page)
{
    if (__atomic_load_n(&page->locks, __ATOMIC_RELAXED) != 0)
        sim_complain(sim, "an object was destroyed while a page of it was locked");
    if (__atomic_load_n(&page->dma, __ATOMIC_RELAXED) != 0)
        sim_complain(sim, "an object was destroyed while a device could reach a page of it");
    if (__atomic_load_n(&page->cached, __ATOMIC_RELAXED) != 0)
        sim_complain(sim, "an object was destroyed while the IOTLB held a translation to a page of it");
}

static void check_io_space(struct dxgkmem_sim *sim, uint64_t first, uint64_t end)
{
    const struct sim_chunk *chunk;

    while (first < end && (chunk = sim_chunk_next(sim, first, end)) != NULL) {
        uint64_t stop = sim_least(end, (chunk->index + 1) << SIM_CHUNK_SHIFT);

        if (first >> SIM_CHUNK_SHIFT != chunk->index)
            first = chunk->index << SIM_CHUNK_SHIFT;
        for (; first < stop; first++)
            check_page(sim, &chunk->page[first & SIM_CHUNK_MASK]);
    }
}

static void check_pages(struct dxgkmem_sim *sim, const struct dxgkmem_memory *memory)
{
    const struct sim_set *set = &memory->u.set;
    struct sim_chunk *chunk = NULL;

    if (memory->only != NULL) {
        check_page(sim, memory->only);
        return;
    }
    if (memory->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE) {
        /* Of two records of one range, which may be there for a moment, one is never used. */
        if (__atomic_load_n(&memory->locked, __ATOMIC_RELAXED))
            check_io_space(sim, set->first, set->first + set->pages);
        return;
    }
    for (uint64_t i = 0; i < set->pages; i++)
        check_page(sim, page_of(sim, memory, i, &chunk));
}

/* Of a page that others hold, too, they may be the ones who reach it. */
static void let_go(struct dxgkmem_sim *sim, struct sim_shard *shard, const struct dxgkmem_memory *memory)
{
    struct sim_chunk *chunk = NULL;

    note_held(shard, memory, false);
    for (uint64_t i = 0; i < memory->u.set.pages; i++) {
        struct sim_page *page = page_of(sim, memory, i, &chunk);

        if (sim_driver_let_go(sim, page, sim_memory_page(memory, i)))
            check_page(sim, page);
    }
}

static void give_pages(struct dxgkmem_sim *sim, struct sim_shard *shard, struct dxgkmem_memory *memory)
{
    if (memory->held) {
        let_go(sim, shard, memory);
        return;
    }
    check_pages(sim, memory);
    own(sim, shard, memory, false);
    if (memory->type != DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        sim_give(sim, shard, &memory->u.set);
}

void sim_memory_destroy(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);

    if (memory == NULL || !memory->live) {
        sim_complain(sim, "an object was destroyed twice");
    } else {
        if (__atomic_load_n(&memory->windows, __ATOMIC_RELAXED) != 0)
            sim_complain(sim, "an object was destroyed while it was mapped for the CPU");
        give_pages(sim, shard, memory);
        list_end(sim, &shard->records, memory->u.set.list, memory->u.set.pages);
        record_end(&shard->records, memory);
    }
    sim_leave(shard);
}

void sim_memory_zero(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard;
    struct sim_chunk *chunk = NULL;
    bool changed = false;

    if (memory == NULL || !memory->live) {
        sim_complain(sim, "an object was used after memory_destroy");
        return;
    }
    if (memory->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE) {
        sim_complain(sim, "memory_zero was called for I/O space");
        return;
    }
    if (memory->zeroed)
        sim_complain(sim, "memory_zero was called twice for an object");
    memory->zeroed = true;
    for (uint64_t i = 0; i < memory->u.set.pages; i++) {
        struct sim_page *page = memory->only != NULL ? memory->only : page_of(sim, memory, i, &chunk);

        set_flags(page, SIM_PAGE_ZEROED, 0);
        if (__atomic_load_n(&page->contents, __ATOMIC_RELAXED) == NULL)
            continue;
        page = page_of(sim, memory, i, &chunk);
        if (page != NULL && sim_contents_zero(sim, chunk, sim_memory_page(memory, i)))
            changed = true;
    }
    if (changed) {
        shard = sim_enter(sim);
        sim_changed(shard);
        sim_leave(shard);
    }
}

/* Chunks for pages of I/O space, of which nothing may be known yet. */
static bool make_chunks(struct dxgkmem_sim *sim, uint64_t first, uint64_t pages)
{
    uint64_t end = first + pages;

    for (uint64_t page = first; page < end; page = (page | SIM_CHUNK_MASK) + 1) {
        if (sim_chunk_make(sim, page) == NULL)
            return false;
    }
    return true;
}

NTSTATUS sim_memory_lock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                         uint64_t pages)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    struct sim_chunk *chunk = NULL;
    uint64_t digest = 0;

    if (!sim_fails(sim, shard) && sim_memory_has(sim, memory, first, pages) && pages <= sim->pages.limit &&
        (memory->type != DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE ||
         make_chunks(sim, memory->u.set.first + first, pages))) {
        for (uint64_t i = first; i < first + pages; i++) {
            struct sim_page *page = memory->only != NULL ? memory->only : page_of(sim, memory, i, &chunk);

            __atomic_fetch_add(&page->locks, 1, __ATOMIC_RELAXED);
            digest += sim_fact(SIM_FACT_LOCK, sim_memory_page(memory, i), 0);
        }
        __atomic_store_n(&memory->locked, true, __ATOMIC_RELAXED);
        sim_fact_holds(shard, digest);
        sim_changed(shard);
        status = STATUS_SUCCESS;
    }
    sim_leave(shard);
    return status;
}

void sim_memory_unlock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                       uint64_t pages)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);
    struct sim_chunk *chunk = NULL;
    uint64_t digest = 0;

    if (sim_memory_has(sim, memory, first, pages)) {
        for (uint64_t i = first; i < first + pages; i++) {
            struct sim_page *page = memory->only != NULL ? memory->only : page_of(sim, memory, i, &chunk);

            if (page == NULL || __atomic_load_n(&page->locks, __ATOMIC_RELAXED) == 0) {
                sim_complain(sim, "a page was unlocked that was not locked");
                break;
            }
            __atomic_fetch_sub(&page->locks, 1, __ATOMIC_RELAXED);
            digest += sim_fact(SIM_FACT_LOCK, sim_memory_page(memory, i), 0);
        }
        sim_fact_ends(shard, digest);
        sim_changed(shard);
    }
    sim_leave(shard);
}

struct dxgkmem_run sim_memory_run(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
                                  uint64_t first)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct dxgkmem_run run = {0, 1};
    const uint64_t *list;

    if (!sim_memory_has(sim, memory, first, 1))
        return run;
    if (memory->type == DXGK_PHYSICAL_MEMORY_TYPE_SECTION) {
        struct sim_chunk *chunk = NULL;
        const struct sim_page *page = page_of(sim, memory, first, &chunk);

        if (__atomic_load_n(&page->locks, __ATOMIC_RELAXED) == 0)
            sim_complain(sim, "the run of a section's page was asked for while it was not locked");
    }
    list = memory->u.set.list;
    if (list == NULL) {
        run.page = memory->u.set.first + first;
        run.pages = memory->u.set.pages - first;
        return run;
    }
    run.page = list[first];
    while (first + run.pages < memory->u.set.pages && list[first + run.pages] == run.page + run.pages)
        run.pages++;
    return run;
}
