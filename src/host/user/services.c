/* SPDX-License-Identifier: MIT */
/*
 * The services of host.h for a user process: pool, locks, threads. The lock itself is
 * in lock.c; random numbers, bug check and panic are in ending.c.
 */
#include "held.h"
#include "lock.h"

#include <stdlib.h>
#include <string.h>

/* -- pool ------------------------------------------------------------------------------ */

/* Up to this size glibc's malloc() has a list a thread, without a lock; its calloc() does not look there. */
#define SMALL 1024

void *dxgkmem_host_alloc(size_t bytes)
{
    void *memory;

    if (bytes > SMALL)
        return calloc(1, bytes);
    memory = malloc(bytes);
    return memory != NULL ? memset(memory, 0, bytes) : NULL;
}

void dxgkmem_host_free(void *memory, size_t bytes)
{
    (void)bytes;
    free(memory);
}

/* -- locks ----------------------------------------------------------------------------- */

/*
 * In debug builds each thread knows which locks it holds, so that one taken out of
 * rank, twice, or released by a stranger stops the process at that very place.
 */
#if !defined(NDEBUG)

static _Thread_local struct held_locks held;

static void check_acquire(const struct dxgkmem_lock *lock, unsigned rank)
{
    held_acquire(&held, lock, rank);
}

static void check_release(const struct dxgkmem_lock *lock)
{
    held_release(&held, lock);
}

#else

static inline void check_acquire(const struct dxgkmem_lock *lock, unsigned rank)
{
    (void)lock;
    (void)rank;
}

static inline void check_release(const struct dxgkmem_lock *lock)
{
    (void)lock;
}

#endif

void dxgkmem_host_lock_init(struct dxgkmem_lock *lock)
{
    user_lock_init(lock);
}

void dxgkmem_host_lock_destroy(struct dxgkmem_lock *lock)
{
    user_lock_destroy(lock);
}

void dxgkmem_host_lock_acquire(struct dxgkmem_lock *lock, unsigned rank)
{
    check_acquire(lock, rank);
    user_lock_acquire(lock);
}

void dxgkmem_host_lock_release(struct dxgkmem_lock *lock)
{
    check_release(lock);
    user_lock_release(lock);
}

/* -- threads --------------------------------------------------------------------------- */

/* Threads are numbered in the order in which they first ask. */
unsigned dxgkmem_host_shard(void)
{
    static unsigned threads;
    static _Thread_local unsigned number; /* plus one */

    if (number == 0)
        number = __atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED);
    return number - 1;
}
