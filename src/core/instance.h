/* SPDX-License-Identifier: MIT */
/*
 * The one instance: its configuration, its tables, its counters, and what every
 * call does at its beginning and its end.
 *
 * It owns the memory of core (pool_alloc) and the numbering of operations.
 * What the things in the tables are belongs to handle.h, object.h, adl.h ...
 */
#ifndef DXGKMEM_CORE_INSTANCE_H
#define DXGKMEM_CORE_INSTANCE_H

#include "core.h"
#include "ranges.h"
#include "table.h"

/* Counters that only ever get summed up. Machine words, so that 32-bit hosts need no 64-bit atomics. */
typedef uintptr_t counter;

enum counter_name {
    COUNT_CALLS,
    COUNT_VIOLATIONS,
    COUNT_ADAPTERS,
    COUNT_OBJECTS,
    COUNT_ADAPTER_OBJECTS,
    COUNT_ADLS,
    COUNT_MAPPINGS,
    COUNT_FRAME_BUFFERS,
    COUNT_MEMORIES,
    COUNT_PAGES,
    COUNT_POOL_BYTES,
    COUNT_POOL_BLOCKS,
    COUNT_RETIRED,
    COUNTERS
};

/*
 * One shard's share; a thing may be counted up on one shard and down on another. Atomic, relaxed, read-modify-write:
 * nothing is lost, and nobody reads other memory because of a count. A sum is exact for who is ordered after
 * all calls, as after joining their threads; during calls it is of no one moment. COUNT_CALLS also gives each
 * operation its number: the modification order of one word is enough for that.
 */
struct counters {
    counter count[COUNTERS];
    uint32_t used; /* atomic, relaxed: 0: all zero, which spares a sum the look */
} __attribute__((aligned(64)));

#define INSTANCE_SHARDS 16

/* The highest page that a DXGK_PAGE_NUMBER can name, and one less, so that an end can be named too. */
#define HIGHEST_PAGE_NUMBER ((uint64_t)(DXGK_PAGE_NUMBER)-1 - 1)

/*
 * What may be taken, and what is taken. A quota without limits costs nothing and
 * counts nothing. One that has some is taken from under its lock, all or nothing:
 * a request that is refused must not, for a moment, be in the way of one that fits.
 */
struct quota {
    struct dxgkmem_lock lock;
    bool limited;
    counter pages, objects, adls;
    counter pages_limit, objects_limit, adls_limit; /* 0 in the config: the largest value */
};

/* CPU mappings by address; see mapping.c. */
struct mapping_space;
struct mapping_stripe {
    struct dxgkmem_lock lock;
    struct range_tree kernel;
    struct mapping_space *spaces; /* of processes */
} __attribute__((aligned(64)));
#define MAPPING_STRIPES 64

struct instance {
    /* Atomic: released when all else is there; acquired by every call. Nobody may call while it is stopped. */
    uint32_t started;
    struct dxgkmem_config config; /* with limits resolved */
    struct dxgkmem_machine *machine;
    uint64_t highest_ram_page, highest_page; /* asked once: a machine does not change */
    uint64_t handle_key[2];
    DXGKRNL_INTERFACE callbacks[2]; /* what query_interface hands out, by objects_only; made once */
    struct table handles;           /* struct handle_slot */
    struct table adls;              /* struct adl; plane 1: DXGK_ADL */
    struct quota total;
    struct dxgkmem_lock adapters_lock;
    struct list_link *adapters; /* struct adapter.link: present or being added */
    struct dxgkmem_lock claims_lock;
    struct range_tree claims; /* I/O ranges, in pages */
    /*
     * Present adapters of WDDM 3.2 or above: whether an IRQL violation is a documented bug check. Atomic, relaxed: raised
     * before the adapter's handle is published, which is released, so who can name the adapter counts it.
     */
    uint32_t strict_irql_adapters;
    struct mapping_stripe stripe[MAPPING_STRIPES];
    struct counters shard[INSTANCE_SHARDS];
};

extern struct instance instance;

static inline counter *counter_in(unsigned shard, enum counter_name name)
{
    struct counters *counters = &instance.shard[shard];
    if (ATOMIC_LOAD(&counters->used) == 0)
        ATOMIC_STORE(&counters->used, 1);
    return &counters->count[name];
}

static inline counter *counter_of(enum counter_name name)
{
    return counter_in(dxgkmem_host_shard() % INSTANCE_SHARDS, name);
}

static inline void count_up(enum counter_name name, uint64_t by)
{
    ATOMIC_ADD(counter_of(name), (counter)by);
}

static inline void count_down(enum counter_name name, uint64_t by)
{
    ATOMIC_SUB(counter_of(name), (counter)by);
}

/* Zeroed memory from the host, counted; the machine may make it fail. The caller frees it with the same size. */
void *pool_alloc(size_t bytes);
void pool_free(void *memory, size_t bytes);

/* Takes from a quota, all or nothing; false when it would be exceeded. */
bool quota_take(struct quota *quota, uint64_t pages, uint32_t objects, uint32_t adls);
void quota_give(struct quota *quota, uint64_t pages, uint32_t objects, uint32_t adls);
void quota_init(struct quota *quota, const struct dxgkmem_quota *limits);
void quota_destroy(struct quota *quota);

/*
 * An operation in one word: who called (5 bits), which shard (8), its number
 * there (51). 0: none.
 */
typedef uint64_t stamp __attribute__((aligned(8))); /* aligned for atomics on 32-bit hosts too */
uint64_t stamp_operation(stamp when);
enum dxgkmem_call stamp_call(stamp when);

/* One call under way; lives on its stack. */
struct call {
    stamp now;
    struct dxgkmem_violation violation; /* NONE: no mistake (yet) */
};

/*
 * Every callback begins and ends with these.
 *
 * call_begin: checks that the instance runs, pArgs and IRQL, and copies pArgs, once. False: refused.
 * *writable tells whether the caller's out fields may be written.
 * call_end: reports the mistake, if any; no lock is held.
 */
struct call_arguments {
    const volatile void *from;
    void *to;
    size_t bytes;
    size_t alignment;
};
bool call_begin(struct call *call, enum dxgkmem_call name, const struct call_arguments *arguments,
                bool *writable);
void call_end(struct call *call);
/* Reads each byte of memory that the driver may write once: a later change of it has no effect. */
void capture(const volatile void *from, void *captured, size_t bytes);
/* Numbers a call of dxgkmem's own functions. */
void call_number(struct call *call, enum dxgkmem_call name);

/* The status that the caller of a refused or failed call gets. */
NTSTATUS call_status(const struct call *call);

/* Notes the mistake of a call. Returns its status. `earlier`: what made it one, or 0. */
NTSTATUS refuse(struct call *call, enum dxgkmem_violation_code code, uint64_t subject, stamp earlier);
/* Reports at once something that was left behind. Hold no lock. */
void report_left(const struct call *call, enum dxgkmem_violation_code code, uint64_t subject, stamp made);
/* A mistake that has no operation number of its own. */
void report_unnumbered(enum dxgkmem_call name, enum dxgkmem_violation_code code);

#endif
