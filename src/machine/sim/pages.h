/* SPDX-License-Identifier: MIT */
/*
 * Physical pages: what is known of each, and which are taken.
 *
 * pages.c owns the tree of metadata: chunks of 512 pages, made on first use, under
 * nodes of 512 children. An absent chunk or node stands for pages that are free
 * (RAM) or unused (the rest). Lookups take no lock; a chunk stays where it is until
 * reset. choose.c owns the choice of pages under the constraints of a request.
 */
#ifndef DXGKMEM_SIM_PAGES_H
#define DXGKMEM_SIM_PAGES_H

#include <dxgkmem/sim.h>

struct sim_shard;

#define SIM_CHUNK_SHIFT 9
#define SIM_CHUNK_PAGES (1u << SIM_CHUNK_SHIFT)
#define SIM_CHUNK_MASK (SIM_CHUNK_PAGES - 1)
#define SIM_CHUNK_WORDS (SIM_CHUNK_PAGES / 64)

/* sim_page.flags */
#define SIM_PAGE_RAM 1u
#define SIM_PAGE_OWNED 2u  /* it belongs to an object */
#define SIM_PAGE_ZEROED 4u /* memory_zero was called for that object */
#define SIM_PAGE_DRIVER 8u /* a driver's own; it counts as owned */
#define SIM_PAGE_HOLD 16u  /* as often as it is held: the bits above; under sim_pages.lock */

struct sim_page {
    uint8_t *contents; /* NULL: every byte is 0; changed under sim_contents.lock */
    uint32_t locks;    /* memory_lock less memory_unlock */
    uint32_t dma;      /* entries of all I/O page tables that name it */
    uint32_t cached;   /* entries of the IOTLB that name it */
    uint32_t flags;    /* changed by the owner of the page only */
};

struct sim_chunk {
    uint64_t taken[SIM_CHUNK_WORDS];  /* not RAM, owned, or kept as a single; under sim_pages.lock */
    uint64_t stored[SIM_CHUNK_WORDS]; /* pages with contents; under sim_contents.lock */
    uint64_t no_ram[SIM_CHUNK_WORDS]; /* taken, at the beginning */
    uint64_t index;                   /* first page / 512 */
    uint32_t available;               /* zero bits of taken */
    uint32_t ram;                     /* pages that are RAM */
    bool touched;                     /* since the last reset: it is in the list of those */
    struct sim_chunk *next_touched;
    struct sim_chunk *next;
    struct sim_page page[SIM_CHUNK_PAGES];
};

struct sim_node {
    uint64_t full[SIM_CHUNK_WORDS]; /* children without a page to take */
    unsigned shift;                 /* child = chunk index >> shift; 0: the children are chunks */
    struct sim_node *next;
    void *child[SIM_CHUNK_PAGES];
};

struct sim_range {
    uint64_t first;
    uint64_t last;
};

struct sim_pages {
    struct dxgkmem_lock lock;
    struct sim_range ram[DXGKMEM_SIM_RANGES]; /* neighbours are merged */
    unsigned ranges;
    uint64_t ram_pages;
    uint64_t end;   /* first page number beyond the physical address width */
    uint64_t limit; /* pages that may be taken at once */
    uint64_t taken;
    uint64_t lowest; /* no page of RAM below this can be taken */
    struct sim_node *root;
    struct sim_node *nodes;
    struct sim_chunk *chunks;
    struct sim_chunk *touched;
    unsigned chunk_count;
};

/*
 * Pages of ended one-page objects, kept by the shard that ended them, the last one
 * on top: to be used again at once, without the common lock. They are taken but not owned.
 */
#define SIM_SINGLES 16u
struct sim_singles {
    unsigned count;
    uint64_t page[SIM_SINGLES];
};

void sim_pages_init(struct dxgkmem_sim *sim);
void sim_pages_reset(struct dxgkmem_sim *sim, bool wipe);
void sim_pages_destroy(struct dxgkmem_sim *sim);

/* The chunk of a page, or NULL when nothing is known of any page in it. */
struct sim_chunk *sim_chunk_find(const struct dxgkmem_sim *sim, uint64_t page);
/* The same, made when it is not there; NULL: the host has no memory. */
struct sim_chunk *sim_chunk_make(struct dxgkmem_sim *sim, uint64_t page);
/* The first chunk with a page in [first, end), or NULL. */
const struct sim_chunk *sim_chunk_next(const struct dxgkmem_sim *sim, uint64_t first, uint64_t end);

bool sim_run_touches_ram(const struct dxgkmem_sim *sim, uint64_t first, uint64_t pages);

/* -- the tree, under sim_pages.lock: for choose.c ---------------------------- */

struct sim_chunk *sim_chunk_make_locked(struct dxgkmem_sim *sim, uint64_t page);
/* The first page in [from, to] that can be taken, or SIM_NONE. The range lies in one range of RAM. */
uint64_t sim_tree_free(struct dxgkmem_sim *sim, uint64_t from, uint64_t to);
/* The first page of [first, end) that is taken, or end. */
uint64_t sim_tree_taken(const struct dxgkmem_sim *sim, uint64_t first, uint64_t end);
/* All pages are free, or all taken; the chunks exist. */
void sim_tree_take(struct dxgkmem_sim *sim, uint64_t first, uint64_t pages);
void sim_tree_give(struct dxgkmem_sim *sim, uint64_t first, uint64_t pages);

/* -- driver.c ---------------------------------------------------------------- */

/* Holds pages of the driver's, all or none; false: one is not the driver's. */
bool sim_driver_hold(struct dxgkmem_sim *sim, const uint64_t *number, uint64_t pages);
/* Ends one hold of a page. True: there is no other. */
bool sim_driver_let_go(struct dxgkmem_sim *sim, struct sim_page *page, uint64_t number);

/* -- choose.c ---------------------------------------------------------------- */

/* The pages of one object: a run when list is NULL, else one number a page. */
struct sim_set {
    uint64_t pages;
    uint64_t first;
    uint64_t *list;
};

/* Whether the pages of this request may only be a run. */
bool sim_request_is_run(const struct dxgkmem_memory_request *request);

/*
 * Takes a run for the request: sets first. The shard is entered for the singles
 * only; with NULL they are left alone. STATUS_NO_MEMORY, STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS sim_take_run(struct dxgkmem_sim *sim, struct sim_shard *shard,
                      const struct dxgkmem_memory_request *request, uint64_t *first);
/* Takes scattered pages for the request into list, of request->pages numbers. */
NTSTATUS sim_take_scattered(struct dxgkmem_sim *sim, const struct dxgkmem_memory_request *request,
                            uint64_t *list);
/* Gives pages back; a single one is kept by the shard, unless that is NULL. */
void sim_give(struct dxgkmem_sim *sim, struct sim_shard *shard, const struct sim_set *set);
/* Gives the singles of all shards back; false: there were none. No shard is entered. */
bool sim_give_singles(struct dxgkmem_sim *sim);

#endif
