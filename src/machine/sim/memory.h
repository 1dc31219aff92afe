/* SPDX-License-Identifier: MIT */
/*
 * The machine's records of objects. A record of one page or of a run needs nothing
 * else; scattered pages have a list of page numbers. Records and short lists are
 * used again through the shards' free lists and go back to the host with the sim.
 */
#ifndef DXGKMEM_SIM_MEMORY_H
#define DXGKMEM_SIM_MEMORY_H

#include <dxgkmem/sim.h>

#include "pages.h"

struct dxgkmem_memory {
    union {
        struct sim_set set;
        struct dxgkmem_memory *next; /* of a record that is free */
    } u;
    struct sim_page *only; /* of an object of one page of RAM: its metadata */
    uint32_t windows;      /* CPU mappings alive; atomic */
    uint8_t type;
    uint8_t cache;
    bool live : 1;
    bool zeroed : 1;
    bool held : 1; /* the pages are a driver's; see driver.c */
    bool locked;   /* a page of it was, at some time; atomic */
};

#define SIM_SLAB_RECORDS 64u
struct sim_slab {
    struct sim_slab *next;
    struct dxgkmem_memory record[SIM_SLAB_RECORDS];
};

/* Lists of 4, 8, ... 512 page numbers are kept; longer ones go back to the host at once. */
#define SIM_LIST_CLASSES 8u
#define SIM_LIST_LEAST 4u
union sim_list {
    union sim_list *next;
    uint64_t page[SIM_LIST_LEAST];
};

struct sim_records {
    struct dxgkmem_memory *ended;
    struct sim_slab *slabs;
    union sim_list *list[SIM_LIST_CLASSES];
};

void sim_records_reset(struct dxgkmem_sim *sim, struct sim_records *records);
void sim_records_destroy(struct dxgkmem_sim *sim, struct sim_records *records);

/* The page number of the object's nth page. */
static inline uint64_t sim_memory_page(const struct dxgkmem_memory *memory, uint64_t nth)
{
    return memory->u.set.list != NULL ? memory->u.set.list[nth] : memory->u.set.first + nth;
}

/* Complains and says false when the object is dead or [first, first + pages) is no part of it. */
bool sim_memory_has(struct dxgkmem_sim *sim, const struct dxgkmem_memory *memory, uint64_t first,
                    uint64_t pages);

/* Machine functions. */
NTSTATUS sim_memory_create(struct dxgkmem_machine *machine, const struct dxgkmem_memory_request *request,
                           struct dxgkmem_memory **memory);
NTSTATUS sim_memory_hold(struct dxgkmem_machine *machine, const uint64_t *page, uint64_t pages,
                         struct dxgkmem_memory **memory);
void sim_memory_destroy(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory);
void sim_memory_zero(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory);
NTSTATUS sim_memory_lock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                         uint64_t pages);
void sim_memory_unlock(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                       uint64_t pages);
struct dxgkmem_run sim_memory_run(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
                                  uint64_t first);

#endif
