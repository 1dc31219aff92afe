/* SPDX-License-Identifier: MIT */
/*
 * The IOTLB, device accesses and the flush. The IOTLB is direct-mapped and keeps what
 * it once read from a table until it is told to forget, as real ones do; so a flush
 * that is left out shows. Owns the lines; tables belong to iommu.c.
 */
#include "sim_internal.h"

#include "sim_bytes.h"

/* Pages of one access whose translation is remembered between check and copy. */
#define REMEMBERED 16u

NTSTATUS sim_iotlb_init(struct dxgkmem_sim *sim)
{
    struct sim_iotlb *iotlb = &sim->iotlb;

    iotlb->lines = sim->config.iotlb_entries;
    dxgkmem_host_lock_init(&iotlb->lock);
    iotlb->line = sim_alloc(sim, iotlb->lines * sizeof *iotlb->line);
    iotlb->valid = sim_alloc(sim, (iotlb->lines + 63) / 64 * sizeof *iotlb->valid);
    return iotlb->line != NULL && iotlb->valid != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

void sim_iotlb_destroy(struct dxgkmem_sim *sim)
{
    struct sim_iotlb *iotlb = &sim->iotlb;

    if (iotlb->line != NULL)
        sim_free(sim, iotlb->line, iotlb->lines * sizeof *iotlb->line);
    if (iotlb->valid != NULL)
        sim_free(sim, iotlb->valid, (iotlb->lines + 63) / 64 * sizeof *iotlb->valid);
    dxgkmem_host_lock_destroy(&iotlb->lock);
}

/* -- lines, under the lock ----------------------------------------------------------- */

static unsigned line_of(const struct sim_iotlb *iotlb, unsigned domain, uint64_t logical)
{
    return ((unsigned)logical + domain * 7) & (iotlb->lines - 1);
}

static uint32_t *cached_count(struct dxgkmem_sim *sim, uint64_t entry)
{
    uint64_t page = entry >> SIM_ENTRY_PAGE_SHIFT;

    return &sim_chunk_find(sim, page)->page[page & SIM_CHUNK_MASK].cached;
}

static void line_drop(struct dxgkmem_sim *sim, unsigned line)
{
    struct sim_iotlb *iotlb = &sim->iotlb;

    __atomic_fetch_sub(cached_count(sim, iotlb->line[line].entry), 1, __ATOMIC_RELAXED);
    iotlb->line[line].entry = 0;
    iotlb->valid[line / 64] &= ~((uint64_t)1 << (line % 64));
    __atomic_fetch_sub(&iotlb->busy, 1, __ATOMIC_SEQ_CST);
}

static void line_fill(struct dxgkmem_sim *sim, unsigned line, unsigned domain, uint64_t logical,
                      uint64_t entry)
{
    struct sim_iotlb *iotlb = &sim->iotlb;

    if (iotlb->line[line].entry != 0)
        line_drop(sim, line);
    iotlb->line[line] = (struct sim_iotlb_entry){logical, entry, domain};
    iotlb->valid[line / 64] |= (uint64_t)1 << (line % 64);
    __atomic_fetch_add(&iotlb->busy, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(cached_count(sim, entry), 1, __ATOMIC_RELAXED);
}

/* The first line in use from `from` on, or the number of lines. */
static unsigned next_line(const struct sim_iotlb *iotlb, unsigned from)
{
    for (unsigned word = from / 64; word < (iotlb->lines + 63) / 64; word++) {
        uint64_t bits = iotlb->valid[word];

        if (word == from / 64)
            bits &= ~(uint64_t)0 << (from % 64);
        if (bits != 0)
            return word * 64 + sim_lowest_bit(bits);
    }
    return iotlb->lines;
}

void sim_iotlb_reset(struct dxgkmem_sim *sim)
{
    if (sim->iotlb.busy == 0)
        return;
    for (unsigned line = next_line(&sim->iotlb, 0); line < sim->iotlb.lines;
         line = next_line(&sim->iotlb, line))
        line_drop(sim, line);
}

bool sim_iotlb_holds_domain(struct dxgkmem_sim *sim, unsigned number)
{
    struct sim_iotlb *iotlb = &sim->iotlb;
    unsigned line;

    if (__atomic_load_n(&iotlb->busy, __ATOMIC_SEQ_CST) == 0)
        return false;
    dxgkmem_host_lock_acquire(&iotlb->lock, SIM_RANK_IOTLB);
    line = next_line(iotlb, 0);
    while (line < iotlb->lines && iotlb->line[line].domain != number)
        line = next_line(iotlb, line + 1);
    dxgkmem_host_lock_release(&iotlb->lock);
    return line < iotlb->lines;
}

bool dxgkmem_sim_stale_iotlb(struct dxgkmem_sim *sim, uint64_t *device_or_domain, uint64_t *logical_page)
{
    struct sim_iotlb *iotlb = &sim->iotlb;
    unsigned line;

    if (__atomic_load_n(&iotlb->busy, __ATOMIC_SEQ_CST) == 0)
        return false;
    dxgkmem_host_lock_acquire(&iotlb->lock, SIM_RANK_IOTLB);
    for (line = next_line(iotlb, 0); line < iotlb->lines; line = next_line(iotlb, line + 1)) {
        const struct sim_iotlb_entry *held = &iotlb->line[line];
        struct dxgkmem_domain *domain = __atomic_load_n(&sim->iommu.domain[held->domain], __ATOMIC_ACQUIRE);

        if (domain == NULL || sim_domain_entry(domain, held->logical) != held->entry) {
            *device_or_domain = held->domain;
            *logical_page = held->logical;
            break;
        }
    }
    dxgkmem_host_lock_release(&iotlb->lock);
    return line < iotlb->lines;
}

/* -- accesses -------------------------------------------------------------------------- */

/* The physical page behind a logical one, through the IOTLB; SIM_NONE: a fault. */
static uint64_t translate(struct dxgkmem_sim *sim, struct sim_shard *shard, struct dxgkmem_domain *domain,
                          uint64_t logical, unsigned access)
{
    unsigned line = line_of(&sim->iotlb, domain->number, logical);
    const struct sim_iotlb_entry *held = &sim->iotlb.line[line];
    uint64_t entry = held->entry;

    if (entry == 0 || held->logical != logical || held->domain != domain->number) {
        entry = sim_domain_entry(domain, logical);
        if (entry == 0)
            return SIM_NONE;
        line_fill(sim, line, domain->number, logical, entry);
        sim_changed(shard);
    }
    return (entry & access) == access ? entry >> SIM_ENTRY_PAGE_SHIFT : SIM_NONE;
}

struct transfer {
    struct dxgkmem_domain *domain;
    uint64_t address;
    uint8_t *to;         /* of a read */
    const uint8_t *from; /* of a write */
    size_t bytes;
    uint64_t page[REMEMBERED];
};

/* Whether every page may be accessed and, for a write, has storage. */
static bool transfer_may(struct dxgkmem_sim *sim, struct sim_shard *shard, struct transfer *transfer)
{
    unsigned access = transfer->to != NULL ? DXGKMEM_ACCESS_READ : DXGKMEM_ACCESS_WRITE;
    uint64_t first = transfer->address >> DXGKMEM_PAGE_SHIFT;
    uint64_t last = (transfer->address + (transfer->bytes - 1)) >> DXGKMEM_PAGE_SHIFT;

    for (uint64_t logical = first; logical <= last; logical++) {
        uint64_t page = translate(sim, shard, transfer->domain, logical, access);

        if (page == SIM_NONE || (transfer->from != NULL && !sim_contents_make(sim, page)))
            return false;
        if (logical - first < REMEMBERED)
            transfer->page[logical - first] = page;
    }
    return true;
}

/* False only if the IOTLB held an outdated line that this very access evicted, far from its beginning. */
static bool transfer_copy(struct dxgkmem_sim *sim, struct sim_shard *shard, struct transfer *transfer)
{
    unsigned access = transfer->to != NULL ? DXGKMEM_ACCESS_READ : DXGKMEM_ACCESS_WRITE;
    uint64_t address = transfer->address;
    size_t done = 0;

    for (unsigned i = 0; done < transfer->bytes; i++) {
        unsigned offset = (unsigned)(address & DXGKMEM_PAGE_MASK);
        unsigned bytes = (unsigned)sim_least(transfer->bytes - done, DXGKMEM_PAGE_BYTES - offset);
        uint64_t page = i < REMEMBERED
                            ? transfer->page[i]
                            : translate(sim, shard, transfer->domain, address >> DXGKMEM_PAGE_SHIFT, access);

        if (page == SIM_NONE)
            return false;
        if (transfer->to != NULL)
            sim_contents_read(sim, page, offset, transfer->to + done, bytes);
        else
            sim_contents_write(sim, page, offset, transfer->from + done, bytes);
        done += bytes;
        address += bytes;
    }
    return true;
}

static bool transfer_run(struct dxgkmem_sim *sim, uint64_t device, struct transfer *transfer)
{
    struct sim_shard *shard;
    bool done;

    if (transfer->bytes != 0 && transfer->address + (transfer->bytes - 1) < transfer->address)
        return false;
    shard = sim_enter(sim);
    dxgkmem_host_lock_acquire(&sim->iotlb.lock, SIM_RANK_IOTLB);
    __atomic_fetch_add(&sim->iotlb.busy, 1, __ATOMIC_SEQ_CST);
    transfer->domain = sim_device_domain(sim, device);
    done = transfer->domain != NULL;
    if (done && transfer->bytes != 0)
        done = transfer_may(sim, shard, transfer) && transfer_copy(sim, shard, transfer);
    __atomic_fetch_sub(&sim->iotlb.busy, 1, __ATOMIC_SEQ_CST);
    dxgkmem_host_lock_release(&sim->iotlb.lock);
    if (done && transfer->from != NULL && transfer->bytes != 0)
        sim_changed(shard);
    sim_leave(shard);
    return done;
}

bool dxgkmem_sim_dma_read(struct dxgkmem_sim *sim, uint64_t device, uint64_t address, void *to, size_t bytes)
{
    struct transfer transfer = {.address = address, .to = to, .bytes = bytes};

    return transfer_run(sim, device, &transfer);
}

bool dxgkmem_sim_dma_write(struct dxgkmem_sim *sim, uint64_t device, uint64_t address, const void *from,
                           size_t bytes)
{
    struct transfer transfer = {.address = address, .from = from, .bytes = bytes};

    return transfer_run(sim, device, &transfer);
}

/* -- the flush ------------------------------------------------------------------------- */

static bool flush_lines(struct dxgkmem_sim *sim, unsigned domain, uint64_t logical, uint64_t pages)
{
    struct sim_iotlb *iotlb = &sim->iotlb;
    bool any = false;

    for (unsigned line = next_line(iotlb, 0); line < iotlb->lines; line = next_line(iotlb, line + 1)) {
        const struct sim_iotlb_entry *held = &iotlb->line[line];

        if (held->domain == domain && held->logical - logical < pages) {
            line_drop(sim, line);
            any = true;
        }
    }
    return any;
}

static bool flush_page(struct dxgkmem_sim *sim, unsigned domain, uint64_t logical)
{
    unsigned line = line_of(&sim->iotlb, domain, logical);
    const struct sim_iotlb_entry *held = &sim->iotlb.line[line];

    if (held->entry == 0 || held->domain != domain || held->logical != logical)
        return false;
    line_drop(sim, line);
    return true;
}

void sim_domain_flush(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                      uint64_t pages)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard;
    bool changed;

    if (domain == NULL || !domain->live) {
        sim_complain(sim, "a domain was used after domain_destroy");
        return;
    }
    /* Nothing is held and nobody is at it: an access that begins now sees the table as it is. */
    if (__atomic_load_n(&sim->iotlb.busy, __ATOMIC_SEQ_CST) == 0)
        return;
    shard = sim_enter(sim);
    dxgkmem_host_lock_acquire(&sim->iotlb.lock, SIM_RANK_IOTLB);
    changed = pages == 1 ? flush_page(sim, domain->number, logical)
                         : flush_lines(sim, domain->number, logical, pages);
    dxgkmem_host_lock_release(&sim->iotlb.lock);
    if (changed)
        sim_changed(shard);
    sim_leave(shard);
}
