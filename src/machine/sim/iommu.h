/* SPDX-License-Identifier: MIT */
/*
 * DMA remapping. iommu.c owns domains, their page tables and which device is in
 * which; dma.c owns the IOTLB, device accesses and the flush.
 *
 * A table grows upwards: its height is that of the highest logical page ever mapped,
 * so that low ones are found in one or two steps. Tables are kept until the domain
 * ends. On 64 bit entries are read and written without a lock: the rules of host.h leave
 * no two calls for one logical page at a time.
 */
#ifndef DXGKMEM_SIM_IOMMU_H
#define DXGKMEM_SIM_IOMMU_H

#include <dxgkmem/sim.h>

#define SIM_TABLE_SHIFT 9
#define SIM_TABLE_ENTRIES (1u << SIM_TABLE_SHIFT)
#define SIM_TABLE_MASK (SIM_TABLE_ENTRIES - 1)
#define SIM_DOMAINS 64u
#define SIM_DOMAIN_SHARDS 16u /* SIM_SHARDS */
/* Logical addresses have 64 bits at most. */
#define SIM_LOGICAL_END ((uint64_t)1 << (64 - DXGKMEM_PAGE_SHIFT))

/* An entry: page << 4 | valid | access. */
#define SIM_ENTRY_VALID 8u
#define SIM_ENTRY_ACCESS 7u
#define SIM_ENTRY_PAGE_SHIFT 4

struct sim_table {
    unsigned shift; /* index = logical page >> shift; 0: entries, else tables */
    uint64_t first; /* the first logical page it is for */
    struct sim_table *next;
    union {
        uint64_t entry[SIM_TABLE_ENTRIES];
        struct sim_table *child[SIM_TABLE_ENTRIES];
    } u;
};

struct dxgkmem_domain {
    struct dxgkmem_lock lock;
    struct sim_table *root; /* NULL: nothing was ever mapped */
    struct sim_table *tables;
    struct dxgkmem_domain *next; /* of a record that is free */
    unsigned number;             /* the lowest that was free: no history in it */
    unsigned devices;
    bool live;
    char apart[64]; /* what follows is written all the time, what precedes is not */
    struct {
        uint64_t pages; /* mapped, by the shard that did it; under that shard's lock */
        char apart[56];
    } mapped[SIM_DOMAIN_SHARDS];
};

struct sim_iommu {
    struct dxgkmem_lock lock;
    struct dxgkmem_domain *domain[SIM_DOMAINS];
    struct dxgkmem_domain *device[DXGKMEM_SIM_DEVICES];
    struct dxgkmem_domain *ended;
    struct sim_table *tables; /* free, all zero */
    unsigned table_count;
};

struct sim_iotlb_entry {
    uint64_t logical;
    uint64_t entry; /* as in the table; 0: this line is empty */
    unsigned domain;
};

struct sim_iotlb {
    struct dxgkmem_lock lock;
    struct sim_iotlb_entry *line;
    uint64_t *valid; /* one bit a line */
    unsigned lines;
    /* Lines in use plus accesses under way; changed under the lock, read without. */
    uint32_t busy;
};

NTSTATUS sim_iommu_init(struct dxgkmem_sim *sim);
/* wipe: domains may be left. */
void sim_iommu_reset(struct dxgkmem_sim *sim, bool wipe);
void sim_iommu_destroy(struct dxgkmem_sim *sim);

/* The entry of a logical page, 0 when there is none. */
uint64_t sim_domain_entry(struct dxgkmem_domain *domain, uint64_t logical);
uint64_t sim_domain_pages(const struct dxgkmem_domain *domain);
struct dxgkmem_domain *sim_device_domain(const struct dxgkmem_sim *sim, uint64_t device);

NTSTATUS sim_iotlb_init(struct dxgkmem_sim *sim);
void sim_iotlb_reset(struct dxgkmem_sim *sim);
void sim_iotlb_destroy(struct dxgkmem_sim *sim);
bool sim_iotlb_holds_domain(struct dxgkmem_sim *sim, unsigned number);

/* Machine functions. */
NTSTATUS sim_domain_create(struct dxgkmem_machine *machine, struct dxgkmem_domain **domain);
void sim_domain_destroy(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain);
NTSTATUS sim_domain_attach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t device);
void sim_domain_detach(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t device);
NTSTATUS sim_domain_map(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                        struct dxgkmem_run run, unsigned access);
void sim_domain_unmap(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                      uint64_t pages);
void sim_domain_flush(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain, uint64_t logical,
                      uint64_t pages);

#endif
