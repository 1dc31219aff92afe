/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine as one structure, its shards and its locks.
 *
 * Each part has a header of its own: pages.h (page metadata, choice of pages),
 * contents.h (bytes of pages), memory.h (records of objects), iommu.h (domains
 * and device accesses), cpu.h (CPU mappings). This one owns what all share.
 *
 * Shards. Every machine function enters the shard of its thread: one lock, and
 * under it everything that would otherwise be shared by all threads, counters
 * above all. Sums over the shards are what the rest of the world is told. On one
 * thread there is one shard, so nothing depends on anything but the calls made.
 *
 * Lock order, outermost first; a thread holds one lock of each kind at most:
 *
 *   sim_shard.lock        counters, free records, ended CPU windows of the shard
 *   sim_iotlb.lock        the IOTLB and every DMA under way
 *   dxgkmem_domain.lock   growth of one domain's table (on 32 bit: its entries too)
 *   sim_iommu.lock        the list of domains, attachments, free tables
 *   sim_cpu.lock          directories of CPU windows, the index of real windows
 *   sim_contents.lock     bytes of pages and their free storage
 *   sim_pages.lock        which pages are taken, the tree of page metadata
 *
 * Counters in struct sim_page are atomic: pages of one object may be locked and
 * mapped by several threads. What one thread alone may do to a page by the rules of
 * host.h (zero it, give it back) needs no lock.
 */
#ifndef DXGKMEM_SIM_INTERNAL_H
#define DXGKMEM_SIM_INTERNAL_H

#include <dxgkmem/sim.h>

#include "contents.h"
#include "cpu.h"
#include "iommu.h"
#include "memory.h"
#include "pages.h"

/* The lock order above. */
enum sim_rank {
    SIM_RANK_SHARD = DXGKMEM_RANK_MACHINE,
    SIM_RANK_IOTLB,
    SIM_RANK_DOMAIN,
    SIM_RANK_IOMMU,
    SIM_RANK_CPU,
    SIM_RANK_CONTENTS,
    SIM_RANK_PAGES
};

#define SIM_SHARDS 16u
#define SIM_NONE UINT64_MAX
#define SIM_CACHE_LINE 64

/* Counters of one shard; written under its lock only. */
struct sim_counters {
    uint64_t changes;
    uint64_t digest;
    uint64_t owned; /* RAM pages that belong to objects; negative where another shard made them */
    uint64_t calls; /* fallible machine functions */
};

struct sim_shard {
    struct dxgkmem_lock lock;
    struct sim_counters counters;
    uintptr_t asked; /* may_allocate; atomic, outside the lock */
    struct sim_singles singles;
    struct sim_records records;
    struct sim_slots slots[SIM_SPACES];
    uint64_t live[DXGKMEM_SIM_PROCESSES + 1u]; /* windows of each process; 0: of the kernel */
    char apart[SIM_CACHE_LINE];
};

struct dxgkmem_sim {
    struct dxgkmem_machine machine; /* first: the two pointers are one */
    struct dxgkmem_sim_config config;
    unsigned irql; /* atomic, as the process is */
    unsigned process;
    uintptr_t fault_at;   /* 0: none is pending */
    uintptr_t fault_then; /* how many calls after it the second one; 0: none */
    unsigned faults_fired;
    const char *complaint;
    uintptr_t pool_bytes;
    bool driver_has_pages; /* these; see driver.c */
    uint64_t driver_page[DXGKMEM_SIM_DRIVER_PAGES];
    unsigned shards; /* how many were entered since the last reset; atomic, grows only */
    struct sim_pages pages;
    struct sim_contents contents;
    struct sim_iommu iommu;
    struct sim_iotlb iotlb;
    struct sim_cpu cpu;
    char apart[SIM_CACHE_LINE];
    struct sim_shard shard[SIM_SHARDS];
};

static inline struct dxgkmem_sim *sim_of(struct dxgkmem_machine *machine)
{
    return (struct dxgkmem_sim *)machine;
}

static inline uint64_t sim_process(const struct dxgkmem_sim *sim)
{
    return __atomic_load_n(&sim->process, __ATOMIC_RELAXED);
}

/* Memory of the host's pool, counted. */
void *sim_alloc(struct dxgkmem_sim *sim, size_t bytes);
void sim_free(struct dxgkmem_sim *sim, void *memory, size_t bytes);

/* Keeps the first complaint. `sentence` lives forever. */
void sim_complain(struct dxgkmem_sim *sim, const char *sentence);

/* Counts a fallible call of a shard that is entered; true: this is the one that has to fail. */
bool sim_fails(struct dxgkmem_sim *sim, struct sim_shard *shard);

static inline void sim_enter_shard(struct sim_shard *shard)
{
    dxgkmem_host_lock_acquire(&shard->lock, SIM_RANK_SHARD);
}

/* The calling thread's shard, for a counter that needs no lock. */
struct sim_shard *sim_first_use(struct dxgkmem_sim *sim, unsigned index);

static inline struct sim_shard *sim_my_shard(struct dxgkmem_sim *sim)
{
    unsigned index = dxgkmem_host_shard() % SIM_SHARDS;

    if (index >= __atomic_load_n(&sim->shards, __ATOMIC_RELAXED))
        return sim_first_use(sim, index);
    return &sim->shard[index];
}

static inline struct sim_shard *sim_enter(struct dxgkmem_sim *sim)
{
    struct sim_shard *shard = sim_my_shard(sim);

    sim_enter_shard(shard);
    return shard;
}

static inline void sim_leave(struct sim_shard *shard)
{
    dxgkmem_host_lock_release(&shard->lock);
}

static inline unsigned sim_shard_index(const struct dxgkmem_sim *sim, const struct sim_shard *shard)
{
    return (unsigned)(shard - sim->shard);
}

/*
 * Counters of 64 bits have one writer at a time and may be read by others. 32-bit
 * targets lack such loads without a library; a sum is exact there when nobody writes.
 */
static inline void sim_add(uint64_t *counter, uint64_t amount)
{
#if UINTPTR_MAX > 0xffffffffu
    __atomic_store_n(counter, *counter + amount, __ATOMIC_RELAXED);
#else
    *counter += amount;
#endif
}

static inline uint64_t sim_read(const uint64_t *counter)
{
#if UINTPTR_MAX > 0xffffffffu
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
#else
    return *(const volatile uint64_t *)counter;
#endif
}

static inline void sim_changed(struct sim_shard *shard)
{
    sim_add(&shard->counters.changes, 1);
}

/* What the digest is a sum of: one mixed number for each fact about the machine. */
enum sim_fact {
    SIM_FACT_OWNED = 1,
    SIM_FACT_LOCK,
    SIM_FACT_WINDOW,
    SIM_FACT_ENTRY,
    SIM_FACT_DEVICE,
    SIM_FACT_DOMAIN,
    SIM_FACT_IO_SPACE,
    SIM_FACT_HELD
};

static inline uint64_t sim_mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ (b * UINT64_C(0xd6e8feb86659fd93))) * UINT64_C(0x9e3779b97f4a7c15);

    x ^= x >> 32;
    x *= UINT64_C(0xff51afd7ed558ccd);
    return x ^ x >> 29;
}

static inline uint64_t sim_fact(enum sim_fact fact, uint64_t a, uint64_t b)
{
    return sim_mix(a, b + ((uint64_t)fact << 56));
}

static inline void sim_fact_holds(struct sim_shard *shard, uint64_t mixed)
{
    sim_add(&shard->counters.digest, mixed);
}

static inline void sim_fact_ends(struct sim_shard *shard, uint64_t mixed)
{
    sim_add(&shard->counters.digest, (uint64_t)0 - mixed);
}

static inline uint64_t sim_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The number of the lowest bit that is set; bits is not 0. */
static inline unsigned sim_lowest_bit(uint64_t bits)
{
#if UINTPTR_MAX > 0xffffffffu
    return (unsigned)__builtin_ctzll(bits);
#else
    uint32_t low = (uint32_t)bits;

    return low != 0 ? (unsigned)__builtin_ctz(low) : 32u + (unsigned)__builtin_ctz((uint32_t)(bits >> 32));
#endif
}

#endif
