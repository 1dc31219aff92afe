/* SPDX-License-Identifier: MIT */
/*
 * Domains, their page tables and the devices in them. Owns the tables; the IOTLB,
 * which may remember more than they say, belongs to dma.c.
 */
#include "sim_internal.h"

#include "sim_bytes.h"

/* Free tables beyond this many go back to the host at a reset. */
#define KEPT_TABLES 64u

/* -- entries ----------------------------------------------------------------------- */

/* 64-bit entries need a lock only where the processor has no 64-bit accesses. */
static void entries_begin(struct dxgkmem_domain *domain)
{
#if UINTPTR_MAX > 0xffffffffu
    (void)domain;
#else
    dxgkmem_host_lock_acquire(&domain->lock, SIM_RANK_DOMAIN);
#endif
}

static void entries_end(struct dxgkmem_domain *domain)
{
#if UINTPTR_MAX > 0xffffffffu
    (void)domain;
#else
    dxgkmem_host_lock_release(&domain->lock);
#endif
}

/*
 * Sequentially consistent, as is sim_iotlb.busy: a flush that finds no access under
 * way knows that every later one sees the entry gone.
 */
static uint64_t entry_load(const uint64_t *entry)
{
#if UINTPTR_MAX > 0xffffffffu
    return __atomic_load_n(entry, __ATOMIC_SEQ_CST);
#else
    return *entry;
#endif
}

static void entry_remove(uint64_t *entry)
{
#if UINTPTR_MAX > 0xffffffffu
    __atomic_store_n(entry, 0, __ATOMIC_SEQ_CST);
#else
    *entry = 0;
#endif
}

static void entry_set(uint64_t *entry, uint64_t value)
{
#if UINTPTR_MAX > 0xffffffffu
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
#else
    *entry = value;
#endif
}

static uint64_t entry_fact(const struct dxgkmem_domain *domain, uint64_t logical, uint64_t entry)
{
    return sim_fact(SIM_FACT_ENTRY, logical | (uint64_t)domain->number << 52, entry);
}

/* -- tables ------------------------------------------------------------------------ */

static struct sim_table *table_take(struct dxgkmem_sim *sim)
{
    struct sim_table *table;

    dxgkmem_host_lock_acquire(&sim->iommu.lock, SIM_RANK_IOMMU);
    table = sim->iommu.tables;
    if (table != NULL) {
        sim->iommu.tables = table->next;
        sim->iommu.table_count--;
    }
    dxgkmem_host_lock_release(&sim->iommu.lock);
    return table != NULL ? table : sim_alloc(sim, sizeof *table);
}

/* Frees all tables. empty: no entry is left in any. Under sim_iommu.lock. */
static void tables_give(struct dxgkmem_sim *sim, struct dxgkmem_domain *domain, bool empty)
{
    while (domain->tables != NULL) {
        struct sim_table *table = domain->tables;

        domain->tables = table->next;
        if (!empty || table->shift != 0)
            memset(&table->u, 0, sizeof table->u);
        table->next = sim->iommu.tables;
        sim->iommu.tables = table;
        sim->iommu.table_count++;
    }
    domain->root = NULL;
}

static bool table_covers(const struct sim_table *table, uint64_t logical)
{
    return table != NULL && logical >> table->shift < SIM_TABLE_ENTRIES;
}

static unsigned table_index(const struct sim_table *table, uint64_t logical)
{
    return (unsigned)(logical >> table->shift) & SIM_TABLE_MASK;
}

/* The lowest table for a logical page, or NULL. */
static struct sim_table *table_find(const struct dxgkmem_domain *domain, uint64_t logical)
{
    struct sim_table *table = __atomic_load_n(&domain->root, __ATOMIC_ACQUIRE);

    if (!table_covers(table, logical))
        return NULL;
    while (table != NULL && table->shift != 0)
        table = __atomic_load_n(&table->u.child[table_index(table, logical)], __ATOMIC_ACQUIRE);
    return table;
}

static struct sim_table *table_add(struct dxgkmem_sim *sim, struct dxgkmem_domain *domain, uint64_t logical,
                                   unsigned shift)
{
    struct sim_table *table = table_take(sim);

    if (table == NULL)
        return NULL;
    table->shift = shift;
    table->first = logical >> shift >> SIM_TABLE_SHIFT << SIM_TABLE_SHIFT << shift;
    table->next = domain->tables;
    domain->tables = table;
    return table;
}

/* Under the domain's lock. */
static bool table_make_locked(struct dxgkmem_sim *sim, struct dxgkmem_domain *domain, uint64_t logical)
{
    struct sim_table *table = domain->root;

    while (!table_covers(table, logical)) {
        unsigned shift = table != NULL ? table->shift + SIM_TABLE_SHIFT : 0;
        struct sim_table *higher = table_add(sim, domain, 0, shift);

        if (higher == NULL)
            return false;
        if (table != NULL)
            higher->u.child[0] = table;
        table = higher;
        __atomic_store_n(&domain->root, table, __ATOMIC_RELEASE);
    }
    while (table->shift != 0) {
        struct sim_table **place = &table->u.child[table_index(table, logical)];

        if (*place == NULL) {
            struct sim_table *lower = table_add(sim, domain, logical, table->shift - SIM_TABLE_SHIFT);

            if (lower == NULL)
                return false;
            __atomic_store_n(place, lower, __ATOMIC_RELEASE);
        }
        table = *place;
    }
    return true;
}

/* Tables for a range of logical pages, so that mapping them cannot fail. */
static bool tables_make(struct dxgkmem_sim *sim, struct dxgkmem_domain *domain, uint64_t logical,
                        uint64_t pages)
{
    uint64_t end = logical + pages;
    bool made = true;

    for (; made && logical < end; logical = (logical | SIM_TABLE_MASK) + 1) {
        if (table_find(domain, logical) != NULL)
            continue;
        dxgkmem_host_lock_acquire(&domain->lock, SIM_RANK_DOMAIN);
        made = table_make_locked(sim, domain, logical);
        dxgkmem_host_lock_release(&domain->lock);
    }
    return made;
}

uint64_t sim_domain_entry(struct dxgkmem_domain *domain, uint64_t logical)
{
    const struct sim_table *table = table_find(domain, logical);
    uint64_t entry = 0;

    if (table != NULL) {
        entries_begin(domain);
        entry = entry_load(&table->u.entry[logical & SIM_TABLE_MASK]);
        entries_end(domain);
    }
    return entry;
}

uint64_t sim_domain_pages(const struct dxgkmem_domain *domain)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < SIM_SHARDS; i++)
        pages += sim_read(&domain->mapped[i].pages);
    return pages;
}

/* -- domains ----------------------------------------------------------------------- */

NTSTATUS sim_domain_create(struct dxgkmem_machine *machine, struct dxgkmem_domain **domain)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);
    struct sim_iommu *iommu = &sim->iommu;
    struct dxgkmem_domain *made = NULL;
    unsigned number = 0;

    if (!sim_fails(sim, shard)) {
        dxgkmem_host_lock_acquire(&iommu->lock, SIM_RANK_IOMMU);
        while (number < SIM_DOMAINS && iommu->domain[number] != NULL)
            number++;
        if (number < SIM_DOMAINS) {
            made = iommu->ended;
            if (made != NULL)
                iommu->ended = made->next;
            else
                made = sim_alloc(sim, sizeof *made);
        }
        if (made != NULL) {
            dxgkmem_host_lock_init(&made->lock);
            made->number = number;
            made->live = true;
            __atomic_store_n(&iommu->domain[number], made, __ATOMIC_RELEASE);
            sim_fact_holds(shard, sim_fact(SIM_FACT_DOMAIN, number, 0));
            sim_changed(shard);
            *domain = made;
        }
        dxgkmem_host_lock_release(&iommu->lock);
    }
    sim_leave(shard);
    return made != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static bool domain_lives(struct dxgkmem_sim *sim, const struct dxgkmem_domain *domain)
{
    if (domain != NULL && domain->live)
        return true;
    sim_complain(sim, "a domain was used after domain_destroy");
    return false;
}

/* Undoes what a domain still maps. */
static void forget_entries(struct dxgkmem_sim *sim, struct sim_shard *shard, struct dxgkmem_domain *domain)
{
    for (struct sim_table *table = domain->tables; table != NULL; table = table->next) {
        for (unsigned i = 0; table->shift == 0 && i < SIM_TABLE_ENTRIES; i++) {
            uint64_t entry = table->u.entry[i];
            uint64_t page = entry >> SIM_ENTRY_PAGE_SHIFT;

            if (entry == 0)
                continue;
            __atomic_fetch_sub(&sim_chunk_find(sim, page)->page[page & SIM_CHUNK_MASK].dma, 1,
                               __ATOMIC_RELAXED);
            sim_fact_ends(shard, entry_fact(domain, table->first + i, entry));
        }
    }
}

/* The record and its tables are free; its number is, too. Under sim_iommu.lock. */
static void domain_end(struct dxgkmem_sim *sim, struct dxgkmem_domain *domain, bool empty)
{
    tables_give(sim, domain, empty);
    for (unsigned i = 0; i < SIM_SHARDS; i++)
        domain->mapped[i].pages = 0;
    dxgkmem_host_lock_destroy(&domain->lock);
    domain->live = false;
    domain->devices = 0;
    __atomic_store_n(&sim->iommu.domain[domain->number], (struct dxgkmem_domain *)NULL, __ATOMIC_RELEASE);
    domain->next = sim->iommu.ended;
    sim->iommu.ended = domain;
}

static void device_leaves(struct dxgkmem_sim *sim, struct sim_shard *shard, struct dxgkmem_domain *domain,
                          unsigned device)
{
    __atomic_store_n(&sim->iommu.device[device], (struct dxgkmem_domain *)NULL, __ATOMIC_RELEASE);
    domain->devices--;
    sim_fact_ends(shard, sim_fact(SIM_FACT_DEVICE, device, domain->number));
}

void sim_domain_destroy(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);

    if (domain_lives(sim, domain)) {
        bool empty = sim_domain_pages(domain) == 0;
        unsigned number = domain->number; /* the record may be another's once it has ended */

        if (!empty)
            sim_complain(sim, "a domain was destroyed while pages were mapped in it");
        if (sim_iotlb_holds_domain(sim, domain->number))
            sim_complain(sim, "a domain was destroyed while the IOTLB held translations of it");
        if (domain->devices != 0)
            sim_complain(sim, "a domain was destroyed while a device was in it");
        if (!empty)
            forget_entries(sim, shard, domain);
        dxgkmem_host_lock_acquire(&sim->iommu.lock, SIM_RANK_IOMMU);
        for (unsigned i = 0; domain->devices != 0 && i < DXGKMEM_SIM_DEVICES; i++) {
            if (sim->iommu.device[i] == domain)
                device_leaves(sim, shard, domain, i);
        }
        domain_end(sim, domain, empty);
        dxgkmem_host_lock_release(&sim->iommu.lock);
        sim_fact_ends(shard, sim_fact(SIM_FACT_DOMAIN, number, 0));
        sim_changed(shard);
    }
    sim_leave(shard);
}

/* -- devices ----------------------------------------------------------------------- */

struct dxgkmem_domain *sim_device_domain(const struct dxgkmem_sim *sim, uint64_t device)
{
    if (device >= DXGKMEM_SIM_DEVICES)
        return NULL;
    return __atomic_load_n(&sim->iommu.device[device], __ATOMIC_ACQUIRE);
}

NTSTATUS sim_domain_attach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t device)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

    if (!sim_fails(sim, shard) && domain_lives(sim, domain)) {
        dxgkmem_host_lock_acquire(&sim->iommu.lock, SIM_RANK_IOMMU);
        if (device >= DXGKMEM_SIM_DEVICES) {
            sim_complain(sim, "a device was attached that the machine does not have");
        } else if (sim->iommu.device[device] != NULL) {
            sim_complain(sim, "a device was attached while it was in a domain");
        } else {
            __atomic_store_n(&sim->iommu.device[device], domain, __ATOMIC_RELEASE);
            domain->devices++;
            sim_fact_holds(shard, sim_fact(SIM_FACT_DEVICE, device, domain->number));
            sim_changed(shard);
            status = STATUS_SUCCESS;
        }
        dxgkmem_host_lock_release(&sim->iommu.lock);
    }
    sim_leave(shard);
    return status;
}

void sim_domain_detach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t device)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);

    if (domain_lives(sim, domain)) {
        dxgkmem_host_lock_acquire(&sim->iommu.lock, SIM_RANK_IOMMU);
        if (device >= DXGKMEM_SIM_DEVICES || sim->iommu.device[device] != domain) {
            sim_complain(sim, "a device was detached from a domain it was not in");
        } else {
            device_leaves(sim, shard, domain, (unsigned)device);
            sim_changed(shard);
        }
        dxgkmem_host_lock_release(&sim->iommu.lock);
    }
    sim_leave(shard);
}

/* -- mapping ----------------------------------------------------------------------- */

static bool range_is_valid(struct dxgkmem_sim *sim, uint64_t logical, uint64_t pages)
{
    if (pages != 0 && logical < SIM_LOGICAL_END && pages <= SIM_LOGICAL_END - logical)
        return true;
    sim_complain(sim, "logical pages were named that do not exist");
    return false;
}

static bool run_is_valid(struct dxgkmem_sim *sim, struct dxgkmem_run run)
{
    if (run.page < sim->pages.end && run.pages <= sim->pages.end - run.page)
        return true;
    sim_complain(sim, "pages beyond the physical address width were mapped for a device");
    return false;
}

static bool chunks_make(struct dxgkmem_sim *sim, struct dxgkmem_run run)
{
    uint64_t end = run.page + run.pages;

    for (uint64_t page = run.page; page < end; page = (page | SIM_CHUNK_MASK) + 1) {
        if (sim_chunk_make(sim, page) == NULL)
            return false;
    }
    return true;
}

/* What must be true of a page before a device may reach it. */
static void check_page(struct dxgkmem_sim *sim, const struct sim_page *page)
{
    uint32_t flags = __atomic_load_n(&page->flags, __ATOMIC_RELAXED);

    if ((flags & SIM_PAGE_RAM) == 0)
        return;
    if ((flags & SIM_PAGE_OWNED) == 0)
        sim_complain(sim, "a page that belongs to no object was mapped for a device");
    else if ((flags & SIM_PAGE_ZEROED) == 0)
        sim_complain(sim, "a page was mapped for a device before memory_zero");
    else if (__atomic_load_n(&page->locks, __ATOMIC_RELAXED) == 0)
        sim_complain(sim, "a page was mapped for a device while it was not locked");
}

/* Everything that could fail is done. */
static void map_pages(struct dxgkmem_sim *sim, struct sim_shard *shard, struct dxgkmem_domain *domain,
                      uint64_t logical, struct dxgkmem_run run, unsigned access)
{
    struct sim_table *table = NULL;
    struct sim_chunk *chunk = NULL;
    uint64_t mapped = 0;

    for (uint64_t i = 0; i < run.pages; i++, logical++) {
        uint64_t page = run.page + i;
        uint64_t entry = page << SIM_ENTRY_PAGE_SHIFT | SIM_ENTRY_VALID | (access & SIM_ENTRY_ACCESS);
        uint64_t *place;

        if (table == NULL || (logical & SIM_TABLE_MASK) == 0)
            table = table_find(domain, logical);
        if (chunk == NULL || (page & SIM_CHUNK_MASK) == 0)
            chunk = sim_chunk_find(sim, page);
        place = &table->u.entry[logical & SIM_TABLE_MASK];
        if (entry_load(place) != 0) {
            sim_complain(sim, "a logical page was mapped twice");
            continue;
        }
        check_page(sim, &chunk->page[page & SIM_CHUNK_MASK]);
        __atomic_fetch_add(&chunk->page[page & SIM_CHUNK_MASK].dma, 1, __ATOMIC_RELAXED);
        entry_set(place, entry);
        sim_fact_holds(shard, entry_fact(domain, logical, entry));
        mapped++;
    }
    sim_add(&domain->mapped[sim_shard_index(sim, shard)].pages, mapped);
}

NTSTATUS sim_domain_map(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                        struct dxgkmem_run run, unsigned access)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

    if (!sim_fails(sim, shard) && domain_lives(sim, domain) && range_is_valid(sim, logical, run.pages) &&
        run_is_valid(sim, run) && run.pages <= sim->pages.limit && chunks_make(sim, run) &&
        tables_make(sim, domain, logical, run.pages)) {
        entries_begin(domain);
        map_pages(sim, shard, domain, logical, run, access);
        entries_end(domain);
        sim_changed(shard);
        status = STATUS_SUCCESS;
    }
    sim_leave(shard);
    return status;
}

void sim_domain_unmap(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                      uint64_t pages)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);
    struct sim_table *table = NULL;
    uint64_t unmapped = 0;

    if (domain_lives(sim, domain) && range_is_valid(sim, logical, pages)) {
        entries_begin(domain);
        for (uint64_t end = logical + pages; logical < end; logical++) {
            uint64_t entry, page;
            struct sim_chunk *chunk;

            if (table == NULL || (logical & SIM_TABLE_MASK) == 0)
                table = table_find(domain, logical);
            entry = table != NULL ? entry_load(&table->u.entry[logical & SIM_TABLE_MASK]) : 0;
            if (entry == 0) {
                sim_complain(sim, "a logical page was unmapped that was not mapped");
                break;
            }
            page = entry >> SIM_ENTRY_PAGE_SHIFT;
            chunk = sim_chunk_find(sim, page);
            entry_remove(&table->u.entry[logical & SIM_TABLE_MASK]);
            __atomic_fetch_sub(&chunk->page[page & SIM_CHUNK_MASK].dma, 1, __ATOMIC_RELAXED);
            sim_fact_ends(shard, entry_fact(domain, logical, entry));
            unmapped++;
        }
        entries_end(domain);
        sim_add(&domain->mapped[sim_shard_index(sim, shard)].pages, (uint64_t)0 - unmapped);
        sim_changed(shard);
    }
    sim_leave(shard);
}

/* -- beginning and end ----------------------------------------------------------------- */

NTSTATUS sim_iommu_init(struct dxgkmem_sim *sim)
{
    dxgkmem_host_lock_init(&sim->iommu.lock);
    return sim_iotlb_init(sim);
}

static void trim_tables(struct dxgkmem_sim *sim, unsigned keep)
{
    while (sim->iommu.table_count > keep) {
        struct sim_table *table = sim->iommu.tables;

        sim->iommu.tables = table->next;
        sim->iommu.table_count--;
        sim_free(sim, table, sizeof *table);
    }
}

void sim_iommu_reset(struct dxgkmem_sim *sim, bool wipe)
{
    sim_iotlb_reset(sim);
    if (wipe) {
        for (unsigned i = 0; i < SIM_DOMAINS; i++) {
            if (sim->iommu.domain[i] != NULL)
                domain_end(sim, sim->iommu.domain[i], false);
        }
        memset(sim->iommu.device, 0, sizeof sim->iommu.device);
    }
    trim_tables(sim, KEPT_TABLES);
}

void sim_iommu_destroy(struct dxgkmem_sim *sim)
{
    trim_tables(sim, 0);
    while (sim->iommu.ended != NULL) {
        struct dxgkmem_domain *domain = sim->iommu.ended;

        sim->iommu.ended = domain->next;
        sim_free(sim, domain, sizeof *domain);
    }
    dxgkmem_host_lock_destroy(&sim->iommu.lock);
    sim_iotlb_destroy(sim);
}
