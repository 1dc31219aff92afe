/* SPDX-License-Identifier: MIT */
/*
 * What every file of core shares: assertions, atomics, lists, small arithmetic.
 *
 * Core is freestanding: it includes the public headers and nothing of libc or
 * of a host. The two memory functions are those that any C compiler may call
 * on its own.
 *
 * Locks, in the order in which they may be taken (also the ranks below):
 *
 *   1 pin      logical adapter's frame buffers      struct logical_adapter
 *   2 slot     one object or one adapter            struct handle_slot
 *   3 space    CPU mappings of a stripe             struct mapping_stripe
 *   4 logical  logical adapter: chain, open objects,
 *              logical address space                struct logical_adapter
 *   5 claims   I/O ranges of all IO_SPACE objects;
 *              the list of adapters                 struct instance
 *   6 quota    a quota that has a limit             struct quota
 *   7 shard    free entries of a table              struct table
 *   8 growth   segments of a table                  struct table
 *
 * No two locks of one rank are held together. Locks of the machine come after
 * all of these.
 */
#ifndef DXGKMEM_CORE_H
#define DXGKMEM_CORE_H

#include <dxgkmem/dxgkmem.h>

/* A freestanding compiler takes these for functions like any other; the builtins it expands in place. */
#define memcpy __builtin_memcpy
#define memset __builtin_memset

/* Assertions stay on in every build: a broken invariant of ours stops the system. */
#define CORE_ASSERT(condition) ((condition) ? (void)0 : dxgkmem_host_panic(__FILE__, __LINE__, #condition))

/*
 * Atomics. What each one needs is said where it is declared: the order of its stores and loads, what they
 * pair with, and why that is enough. src/README.md has them all in one table.
 */
#define ATOMIC_LOAD(pointer) __atomic_load_n(pointer, __ATOMIC_RELAXED)
#define ATOMIC_LOAD_ACQUIRE(pointer) __atomic_load_n(pointer, __ATOMIC_ACQUIRE)
#define ATOMIC_STORE(pointer, value) __atomic_store_n(pointer, value, __ATOMIC_RELAXED)
#define ATOMIC_STORE_RELEASE(pointer, value) __atomic_store_n(pointer, value, __ATOMIC_RELEASE)
#define ATOMIC_ADD(pointer, value) __atomic_fetch_add(pointer, value, __ATOMIC_RELAXED)
#define ATOMIC_SUB(pointer, value) __atomic_fetch_sub(pointer, value, __ATOMIC_RELAXED)

enum lock_rank {
    RANK_PIN = 1,
    RANK_SLOT,
    RANK_SPACE,
    RANK_LOGICAL,
    RANK_CLAIMS,
    RANK_ADAPTERS = RANK_CLAIMS,
    RANK_QUOTA,
    RANK_SHARD,
    RANK_GROWTH
};

static inline void lock_acquire(struct dxgkmem_lock *lock, enum lock_rank rank)
{
    dxgkmem_host_lock_acquire(lock, (unsigned)rank);
}

static inline void lock_release(struct dxgkmem_lock *lock)
{
    dxgkmem_host_lock_release(lock);
}

/* A circular list of links embedded in things; an empty list is NULL. First in, first met. */
struct list_link {
    struct list_link *next;
    struct list_link *previous;
};

static inline void list_append(struct list_link **list, struct list_link *link)
{
    if (*list == NULL) {
        link->next = link->previous = link;
        *list = link;
        return;
    }
    link->next = *list;
    link->previous = (*list)->previous;
    link->previous->next = link;
    (*list)->previous = link;
}

static inline void list_remove(struct list_link **list, struct list_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    if (*list == link)
        *list = link->next == link ? NULL : link->next;
    link->next = link->previous = NULL;
}

/* The next link, or NULL after the last one. */
static inline struct list_link *list_next(struct list_link *list, const struct list_link *link)
{
    return link->next == list ? NULL : link->next;
}

/*
 * The same with an end of its own, NULL, for a list that several threads add to: appending to it does not
 * write to the oldest thing, which is on a cache line of somebody else's.
 */
struct list_ends {
    struct list_link *first, *last;
};

static inline void list_ends_append(struct list_ends *list, struct list_link *link)
{
    link->next = NULL;
    link->previous = list->last;
    *(list->last == NULL ? &list->first : &list->last->next) = link;
    list->last = link;
}

static inline void list_ends_remove(struct list_ends *list, struct list_link *link)
{
    *(link->previous == NULL ? &list->first : &link->previous->next) = link->next;
    *(link->next == NULL ? &list->last : &link->next->previous) = link->previous;
    link->next = link->previous = NULL;
}

#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline uint64_t pages_of(uint64_t bytes)
{
    return bytes / DXGKMEM_PAGE_BYTES + (bytes % DXGKMEM_PAGE_BYTES != 0);
}

static inline bool is_page_multiple(uint64_t bytes)
{
    return (bytes & DXGKMEM_PAGE_MASK) == 0;
}

/* Of a value above 0. */
static inline bool is_power_of_two(uint64_t value)
{
    return (value & (value - 1)) == 0;
}

static inline uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t greatest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Mixes 64 bits: every bit of the result depends on every bit of the value. Not a secret by itself. */
static inline uint64_t mix64(uint64_t value)
{
    value ^= value >> 32;
    value *= 0xd6e8feb86659fd93u;
    value ^= value >> 32;
    value *= 0xd6e8feb86659fd93u;
    return value ^ value >> 32;
}

#endif
