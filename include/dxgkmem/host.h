/* SPDX-License-Identifier: MIT */
/*
 * What a host must provide so that the callbacks run on it.
 *
 * A host is two things:
 *
 *  - services: a handful of functions that are linked in (pool, locks, random
 *    numbers, bug check). One folder of src/host implements them for one
 *    environment, under these very names.
 *
 *  - a machine: a table of functions chosen at dxgkmem_start(). It owns pages,
 *    CPU mappings and DMA remapping, and also the two things a simulation must
 *    be able to set: the current IRQL and the current process. It is a table
 *    and not link-time names because a kernel driver holds two machines at
 *    once: the real one, and the simulated one that replays programs.
 *
 * Units: "page" is always a page number (address / 4096), "pages" a count of
 * them, "bytes" bytes. Every function is called at IRQL <= APC_LEVEL unless it
 * says otherwise. Source of every rule here: our decision, except where a
 * documentation page is named.
 */
#ifndef DXGKMEM_HOST_H
#define DXGKMEM_HOST_H

#include <dxgkmem/ddi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- services ------------------------------------------------------------- */

/*
 * Room for one lock of the host, in machine words. A build for a host whose
 * lock is larger says so on the command line, for every file alike.
 */
#ifndef DXGKMEM_LOCK_WORDS
#define DXGKMEM_LOCK_WORDS 1
#endif

/* A sleeping mutual-exclusion lock, not recursive. Zero bytes are not a lock: call init. */
struct dxgkmem_lock {
    uintptr_t word[DXGKMEM_LOCK_WORDS];
};

/*
 * Zeroed memory that may be touched at any IRQL, aligned for any type, or NULL.
 * The caller owns it until it hands it back with the same number of bytes.
 */
void *dxgkmem_host_alloc(size_t bytes);
void dxgkmem_host_free(void *memory, size_t bytes);

/*
 * Locks cannot fail. destroy: nobody holds it or waits for it.
 *
 * rank: the place of the lock in the order of locks (src/core/core.h; a machine
 * begins at DXGKMEM_RANK_MACHINE). A thread takes locks in rising rank only; a
 * host may check that, and debug builds of ours do.
 */
#define DXGKMEM_RANK_MACHINE 9
void dxgkmem_host_lock_init(struct dxgkmem_lock *lock);
void dxgkmem_host_lock_destroy(struct dxgkmem_lock *lock);
void dxgkmem_host_lock_acquire(struct dxgkmem_lock *lock, unsigned rank);
void dxgkmem_host_lock_release(struct dxgkmem_lock *lock);

/*
 * A small number that differs between threads that run at the same time, where
 * it can: it spreads free lists and counters. Any answer is correct. A program
 * that runs on one thread must always get the same answer, so that its handles
 * are the same in every run. Any IRQL.
 */
unsigned dxgkmem_host_shard(void);

/* 64 random bits; the key of the handles comes from here. */
uint64_t dxgkmem_host_random(void);

/* Stops the system (in user mode: the process) with this code. Any IRQL. Does not return. */
void dxgkmem_host_bug_check(uint32_t code, const uint64_t parameters[4]) __attribute__((noreturn));

/* An internal assertion of dxgkmem failed: a bug of ours. Any IRQL. Does not return. */
void dxgkmem_host_panic(const char *file, int line, const char *what) __attribute__((noreturn));

/* -- the machine ---------------------------------------------------------- */

#define DXGKMEM_PAGE_SHIFT 12
#define DXGKMEM_PAGE_BYTES ((uint64_t)1 << DXGKMEM_PAGE_SHIFT)
#define DXGKMEM_PAGE_MASK (DXGKMEM_PAGE_BYTES - 1)

/* What CREATE asks of the machine. Everything is checked and rounded already. */
struct dxgkmem_memory_request {
    DXGK_PHYSICAL_MEMORY_TYPE type;
    DXGK_MEMORY_CACHING_TYPE cache;
    uint64_t pages;
    /*
     * MDL and CONTIGUOUS_MEMORY: no page below lowest_page or above
     * highest_page (both inclusive). IO_SPACE: lowest_page is the first page of
     * the range. SECTION: the whole of RAM.
     */
    uint64_t lowest_page;
    uint64_t highest_page;
    /* MDL: the search window moves up by this many pages each time it is exhausted; 0: one window. */
    uint64_t skip_pages;
    /* CONTIGUOUS_MEMORY: the block crosses no multiple of this many pages; 0: no such rule. */
    uint64_t boundary_pages;
    /*
     * MDL: every aligned group of this many pages is one physical block that
     * starts at a multiple of its length; 0: pages may be scattered. The value
     * (uint64_t)-1 asks for one block without alignment.
     */
    uint64_t chunk_pages;
    /* MDL: a wish that the pages be contiguous (MM_ALLOCATE_PREFER_CONTIGUOUS). */
    bool prefer_contiguous;
    /* SECTION: one of the four PAGE_ values; the rest is passed through untouched. */
    uint32_t page_protection;
    ACCESS_MASK desired_access;
    POBJECT_ATTRIBUTES object_attributes;
};

#define DXGKMEM_CHUNK_WHOLE ((uint64_t)-1)

/* A run of physical pages: page, page + 1, ... page + pages - 1. */
struct dxgkmem_run {
    uint64_t page;
    uint64_t pages;
};

/* What a CPU mapping or a DMA mapping allows. */
#define DXGKMEM_ACCESS_READ 1u
#define DXGKMEM_ACCESS_WRITE 2u
#define DXGKMEM_ACCESS_EXECUTE 4u

struct dxgkmem_machine;
struct dxgkmem_memory; /* the machine's record of one object's pages */
struct dxgkmem_domain; /* the machine's record of one DMA domain */

/* Every function is called with the machine that was given to dxgkmem_start(). */
/* By hand: a pointer to a function that returns NTSTATUS is taken for the use of a macro. */
/* clang-format off */
struct dxgkmem_machine_ops {
    /* The current IRQL and the current process (never 0). Any IRQL. */
    unsigned (*irql)(struct dxgkmem_machine *machine);
    uint64_t (*process)(struct dxgkmem_machine *machine);

    /*
     * Asked before each allocation from the host's pool: false makes that
     * allocation fail. NULL: none ever does. It is how a simulation reaches
     * every failure path; the machine counts its own fallible functions itself.
     */
    bool (*may_allocate)(struct dxgkmem_machine *machine);

    /* Page number of the highest page of RAM. */
    uint64_t (*highest_ram_page)(struct dxgkmem_machine *machine);
    /* Page number of the highest page the physical address width can name. */
    uint64_t (*highest_page)(struct dxgkmem_machine *machine);
    /* True when any page of the run is RAM. */
    bool (*touches_ram)(struct dxgkmem_machine *machine, struct dxgkmem_run run);

    /*
     * Takes the pages of an object: all of them or none. SECTION pages need not
     * be resident before memory_lock. STATUS_NO_MEMORY when the constraints
     * cannot be met now, STATUS_INSUFFICIENT_RESOURCES for everything else.
     * IO_SPACE: nothing is taken; two threads that create over one range both get a record of it for
     * a moment, of which one is destroyed unused.
     */
    NTSTATUS (*memory_create)(struct dxgkmem_machine *machine,
                              const struct dxgkmem_memory_request *request,
                              struct dxgkmem_memory **memory);
    /*
     * A record of pages that somebody else brings, in this order: RAM in use by others, none of them an
     * object's. Until memory_destroy they stay where they are, also when their owner gives them back. Nothing of
     * them is zeroed or mapped for the CPU. STATUS_INVALID_ADDRESS: a page is none of these, or would not stay.
     * NULL: the machine has no such hold, and MapMdlToIoMmu answers STATUS_NOT_SUPPORTED.
     */
    NTSTATUS (*memory_hold)(struct dxgkmem_machine *machine, const uint64_t *page, uint64_t pages,
                            struct dxgkmem_memory **memory);
    /* Gives the pages back. No mapping, lock or DMA mapping of them is left. */
    void (*memory_destroy)(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory);
    /* Makes every byte zero; called once, before anybody sees the pages. Never for IO_SPACE. */
    void (*memory_zero)(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory);
    /* Makes the pages [first, first + pages) resident and keeps them so. Counted, per page. */
    NTSTATUS (*memory_lock)(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
                            uint64_t first, uint64_t pages);
    void (*memory_unlock)(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
                          uint64_t first, uint64_t pages);
    /*
     * The physical run that begins at page `first` of the object, as long as it
     * is contiguous. SECTION: only for locked pages. Never an empty run.
     */
    struct dxgkmem_run (*memory_run)(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
                                     uint64_t first);

    /*
     * Maps pages for the CPU, for the kernel or for the current process, with
     * the object's cache type and `access`. `*base` is page aligned.
     */
    NTSTATUS (*map)(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                    uint64_t pages, DXGK_ACCESS_MODE mode, unsigned access, void **base);
    /* process: 0 for a kernel mapping, else the process in which it was made; it may not be current. */
    void (*unmap)(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, void *base,
                  uint64_t pages, uint64_t process);

    /* A DMA domain: an empty I/O page table. A device that is in no domain reaches nothing. */
    NTSTATUS (*domain_create)(struct dxgkmem_machine *machine, struct dxgkmem_domain **domain);
    void (*domain_destroy)(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain);
    /* device: the number in dxgkmem_adapter_config. A device is in one domain at most. */
    NTSTATUS (*domain_attach)(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain,
                              uint64_t device);
    /* When it returns, no DMA of the device through the domain is under way. */
    void (*domain_detach)(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain,
                          uint64_t device);
    /* Maps logical pages [logical, + run.pages) to the run: all of it or nothing. None is mapped yet. */
    NTSTATUS (*domain_map)(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain,
                           uint64_t logical, struct dxgkmem_run run, unsigned access);
    /* Takes mappings out of the table; a translation cache may still hold them until the flush. */
    void (*domain_unmap)(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain,
                         uint64_t logical, uint64_t pages);
    /* When it returns, no translation of these logical pages is cached and no DMA through one is under way. */
    void (*domain_flush)(struct dxgkmem_machine *machine, struct dxgkmem_domain *domain,
                         uint64_t logical, uint64_t pages);
};
/* clang-format on */

/* A machine embeds this as its first member. */
struct dxgkmem_machine {
    const struct dxgkmem_machine_ops *ops;
};

#ifdef __cplusplus
}
#endif

#endif
