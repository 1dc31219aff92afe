/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine as a whole: making, resetting, the world's controls, faults
 * and complaints, sums over the shards. What each part does is in the part's file.
 */
#include "sim_internal.h"

#include "sim_bytes.h"

/* Storage of so many pages survives a reset. */
#define KEPT_BUFFERS 64u

_Static_assert(SIM_DOMAIN_SHARDS == SIM_SHARDS, "a domain counts by shard");

/* -- the host's pool ----------------------------------------------------------------- */

void *sim_alloc(struct dxgkmem_sim *sim, size_t bytes)
{
    void *memory = dxgkmem_host_alloc(bytes);

    if (memory != NULL)
        __atomic_fetch_add(&sim->pool_bytes, bytes, __ATOMIC_RELAXED);
    return memory;
}

void sim_free(struct dxgkmem_sim *sim, void *memory, size_t bytes)
{
    __atomic_fetch_sub(&sim->pool_bytes, bytes, __ATOMIC_RELAXED);
    dxgkmem_host_free(memory, bytes);
}

uint64_t dxgkmem_sim_pool_bytes(const struct dxgkmem_sim *sim)
{
    return __atomic_load_n(&sim->pool_bytes, __ATOMIC_RELAXED);
}

/* -- complaints ------------------------------------------------------------------------ */

void sim_complain(struct dxgkmem_sim *sim, const char *sentence)
{
    const char *none = NULL;

    (void)__atomic_compare_exchange_n(&sim->complaint, &none, sentence, false, __ATOMIC_ACQ_REL,
                                      __ATOMIC_RELAXED);
}

const char *dxgkmem_sim_complaint(const struct dxgkmem_sim *sim)
{
    return __atomic_load_n(&sim->complaint, __ATOMIC_ACQUIRE);
}

/* -- shards ---------------------------------------------------------------------------- */

struct sim_shard *sim_first_use(struct dxgkmem_sim *sim, unsigned index)
{
    unsigned shards = __atomic_load_n(&sim->shards, __ATOMIC_RELAXED);

    while (shards <= index && !__atomic_compare_exchange_n(&sim->shards, &shards, index + 1, false,
                                                           __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    return &sim->shard[index];
}

static unsigned shards_used(const struct dxgkmem_sim *sim)
{
    return __atomic_load_n(&sim->shards, __ATOMIC_RELAXED);
}

uint64_t dxgkmem_sim_changes(const struct dxgkmem_sim *sim)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < shards_used(sim); i++)
        sum += sim_read(&sim->shard[i].counters.changes);
    return sum;
}

uint64_t dxgkmem_sim_digest(const struct dxgkmem_sim *sim)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < shards_used(sim); i++)
        sum += sim_read(&sim->shard[i].counters.digest);
    return sum;
}

uint64_t dxgkmem_sim_free_pages(const struct dxgkmem_sim *sim)
{
    uint64_t owned = 0;

    for (unsigned i = 0; i < shards_used(sim); i++)
        owned += sim_read(&sim->shard[i].counters.owned);
    return sim->pages.ram_pages - owned;
}

/* -- faults ------------------------------------------------------------------------------ */

uint64_t dxgkmem_sim_fallible_calls(const struct dxgkmem_sim *sim)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < shards_used(sim); i++) {
        sum += sim_read(&sim->shard[i].counters.calls);
        sum += __atomic_load_n(&sim->shard[i].asked, __ATOMIC_RELAXED);
    }
    return sum;
}

/* A fault is pending: whether this call, just counted, is the one. */
static bool fault_hits(struct dxgkmem_sim *sim, uintptr_t at)
{
    uintptr_t then = __atomic_load_n(&sim->fault_then, __ATOMIC_RELAXED);
    uintptr_t next = then != 0 && then <= UINTPTR_MAX - at ? at + then : 0;

    if (dxgkmem_sim_fallible_calls(sim) < at ||
        !__atomic_compare_exchange_n(&sim->fault_at, &at, next, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return false;
    __atomic_store_n(&sim->fault_then, (uintptr_t)0, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sim->faults_fired, 1u, __ATOMIC_RELAXED);
    return true;
}

bool sim_fails(struct dxgkmem_sim *sim, struct sim_shard *shard)
{
    uintptr_t at = __atomic_load_n(&sim->fault_at, __ATOMIC_RELAXED);

    sim_add(&shard->counters.calls, 1);
    return at != 0 && fault_hits(sim, at);
}

static bool may_allocate(struct dxgkmem_machine *machine)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_my_shard(sim);
    uintptr_t at = __atomic_load_n(&sim->fault_at, __ATOMIC_RELAXED);

    __atomic_fetch_add(&shard->asked, 1, __ATOMIC_RELAXED);
    return at == 0 || !fault_hits(sim, at);
}

void dxgkmem_sim_fail_at(struct dxgkmem_sim *sim, uint64_t nth)
{
    for (unsigned i = 0; i < shards_used(sim); i++) {
        sim->shard[i].counters.calls = 0;
        sim->shard[i].asked = 0;
    }
    sim->fault_at = nth <= UINTPTR_MAX ? (uintptr_t)nth : UINTPTR_MAX;
    sim->fault_then = 0;
    sim->faults_fired = 0;
}

void dxgkmem_sim_fail_then(struct dxgkmem_sim *sim, uint64_t nth)
{
    sim->fault_then = sim->fault_at == 0 ? 0 : nth <= UINTPTR_MAX ? (uintptr_t)nth : UINTPTR_MAX;
}

unsigned dxgkmem_sim_fault_fired(const struct dxgkmem_sim *sim)
{
    return __atomic_load_n(&sim->faults_fired, __ATOMIC_RELAXED);
}

/* -- controls ---------------------------------------------------------------------------- */

void dxgkmem_sim_set_irql(struct dxgkmem_sim *sim, unsigned irql)
{
    __atomic_store_n(&sim->irql, irql, __ATOMIC_RELAXED);
}

static unsigned current_irql(struct dxgkmem_machine *machine)
{
    return __atomic_load_n(&sim_of(machine)->irql, __ATOMIC_RELAXED);
}

void dxgkmem_sim_set_process(struct dxgkmem_sim *sim, uint64_t process)
{
    if (process >= 1 && process <= DXGKMEM_SIM_PROCESSES)
        __atomic_store_n(&sim->process, (unsigned)process, __ATOMIC_RELAXED);
}

static uint64_t current_process(struct dxgkmem_machine *machine)
{
    return sim_process(sim_of(machine));
}

/* -- memory map and oracle ----------------------------------------------------------------- */

static uint64_t highest_ram_page(struct dxgkmem_machine *machine)
{
    const struct sim_pages *pages = &sim_of(machine)->pages;

    return pages->ram[pages->ranges - 1].last;
}

static uint64_t highest_page(struct dxgkmem_machine *machine)
{
    return sim_of(machine)->pages.end - 1;
}

static bool touches_ram(struct dxgkmem_machine *machine, struct dxgkmem_run run)
{
    return run.pages != 0 && sim_run_touches_ram(sim_of(machine), run.page, run.pages);
}

bool dxgkmem_sim_is_ram(const struct dxgkmem_sim *sim, uint64_t page)
{
    return sim_run_touches_ram(sim, page, 1);
}

bool dxgkmem_sim_is_allocated(struct dxgkmem_sim *sim, uint64_t page)
{
    const struct sim_chunk *chunk = sim_chunk_find(sim, page);

    return chunk != NULL && (__atomic_load_n(&chunk->page[page & SIM_CHUNK_MASK].flags, __ATOMIC_RELAXED) &
                             SIM_PAGE_OWNED) != 0;
}

bool dxgkmem_sim_device_page(struct dxgkmem_sim *sim, uint64_t device, uint64_t logical_page,
                             struct dxgkmem_sim_translation *translation)
{
    struct dxgkmem_domain *domain = sim_device_domain(sim, device);
    uint64_t entry = domain != NULL ? sim_domain_entry(domain, logical_page) : 0;

    if (entry == 0)
        return false;
    translation->page = entry >> SIM_ENTRY_PAGE_SHIFT;
    translation->access = (unsigned)entry & SIM_ENTRY_ACCESS;
    translation->cache = DXGK_MEMORY_CACHING_TYPE_NON_CACHED;
    return true;
}

uint64_t dxgkmem_sim_device_pages(struct dxgkmem_sim *sim, uint64_t device)
{
    const struct dxgkmem_domain *domain = sim_device_domain(sim, device);

    return domain != NULL ? sim_domain_pages(domain) : 0;
}

/* -- making and ending ----------------------------------------------------------------------- */

static const struct dxgkmem_machine_ops sim_ops = {
    .irql = current_irql,
    .process = current_process,
    .may_allocate = may_allocate,
    .highest_ram_page = highest_ram_page,
    .highest_page = highest_page,
    .touches_ram = touches_ram,
    .memory_create = sim_memory_create,
    .memory_hold = sim_memory_hold,
    .memory_destroy = sim_memory_destroy,
    .memory_zero = sim_memory_zero,
    .memory_lock = sim_memory_lock,
    .memory_unlock = sim_memory_unlock,
    .memory_run = sim_memory_run,
    .map = sim_map,
    .unmap = sim_unmap,
    .domain_create = sim_domain_create,
    .domain_destroy = sim_domain_destroy,
    .domain_attach = sim_domain_attach,
    .domain_detach = sim_domain_detach,
    .domain_map = sim_domain_map,
    .domain_unmap = sim_domain_unmap,
    .domain_flush = sim_domain_flush,
};

struct dxgkmem_machine *dxgkmem_sim_machine(struct dxgkmem_sim *sim)
{
    return &sim->machine;
}

static bool config_is_valid(const struct dxgkmem_sim_config *config)
{
    uint64_t end, least = 0;
    bool ram = false;

    if (config == NULL || config->ranges == 0 || config->ranges > DXGKMEM_SIM_RANGES ||
        config->address_bits < 32 || config->address_bits > 52 || config->iotlb_entries > 65536 ||
        (config->iotlb_entries & (config->iotlb_entries - 1)) != 0)
        return false;
    end = (uint64_t)1 << (config->address_bits - DXGKMEM_PAGE_SHIFT);
    for (unsigned i = 0; i < config->ranges; i++) {
        const struct dxgkmem_sim_range *range = &config->range[i];

        if (range->pages == 0 || range->page < least || range->page >= end ||
            range->pages > end - range->page)
            return false;
        least = range->page + range->pages;
        ram = ram || !range->io;
    }
    return ram;
}

NTSTATUS dxgkmem_sim_create(const struct dxgkmem_sim_config *config, struct dxgkmem_sim **sim)
{
    struct dxgkmem_sim *made;

    if (sim == NULL || !config_is_valid(config))
        return STATUS_INVALID_PARAMETER;
    made = dxgkmem_host_alloc(sizeof *made);
    if (made == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    made->pool_bytes = sizeof *made;
    made->machine.ops = &sim_ops;
    made->config = *config;
    if (made->config.iotlb_entries == 0)
        made->config.iotlb_entries = 64;
    made->process = 1;
    for (unsigned i = 0; i < SIM_SHARDS; i++)
        dxgkmem_host_lock_init(&made->shard[i].lock);
    sim_pages_init(made);
    sim_contents_init(made);
    sim_cpu_init(made);
    if (!NT_SUCCESS(sim_iommu_init(made))) {
        dxgkmem_sim_destroy(made);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *sim = made;
    return STATUS_SUCCESS;
}

/* Nothing is left of what was done. What may be used again is kept. */
static void forget_all(struct dxgkmem_sim *sim)
{
    unsigned shards = shards_used(sim);
    /* Everything that can be left adds to the digest, but the driver's own pages. */
    bool wipe = dxgkmem_sim_digest(sim) != 0 || sim->driver_has_pages;

    sim_iommu_reset(sim, wipe);
    sim_cpu_reset(sim, wipe);
    for (unsigned i = 0; i < shards; i++) {
        struct sim_shard *shard = &sim->shard[i];

        if (wipe)
            sim_records_reset(sim, &shard->records);
        memset(&shard->counters, 0, sizeof shard->counters);
        memset(shard->slots, 0, sizeof shard->slots);
        memset(shard->live, 0, sizeof shard->live);
        shard->asked = 0;
        shard->singles.count = 0;
    }
    sim_pages_reset(sim, wipe);
    sim->driver_has_pages = false;
    sim->shards = 0;
}

void dxgkmem_sim_reset(struct dxgkmem_sim *sim)
{
    forget_all(sim);
    sim_contents_trim(sim, KEPT_BUFFERS);
    sim->irql = PASSIVE_LEVEL;
    sim->process = 1;
    sim->fault_at = 0;
    sim->fault_then = 0;
    sim->faults_fired = 0;
    sim->complaint = NULL;
}

void dxgkmem_sim_destroy(struct dxgkmem_sim *sim)
{
    if (sim == NULL)
        return;
    forget_all(sim);
    sim_pages_destroy(sim);
    sim_contents_trim(sim, 0);
    dxgkmem_host_lock_destroy(&sim->contents.lock);
    sim_cpu_destroy(sim);
    sim_iommu_destroy(sim);
    for (unsigned i = 0; i < SIM_SHARDS; i++) {
        sim_records_destroy(sim, &sim->shard[i].records);
        dxgkmem_host_lock_destroy(&sim->shard[i].lock);
    }
    dxgkmem_host_free(sim, sizeof *sim);
}
