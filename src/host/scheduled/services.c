/* SPDX-License-Identifier: MIT */
/*
 * The services of host.h for threads that take turns. A lock is one word: who
 * holds it. Ranks are checked in every build. Random numbers, bug check and panic are
 * those of the user host (host/user/ending.c).
 */
#include "scheduled_internal.h"

#include "host/user/held.h"

#include <dxgkmem/user.h>

#include <stdlib.h>

/* Holders: thread + 1; outside a run NOBODY + 1; 0: free. */
static struct held_locks held[SCHEDULED_THREADS + 1];

void services_begin(unsigned threads)
{
    for (unsigned thread = 0; thread < threads; thread++)
        held[thread].count = 0;
}

void *dxgkmem_host_alloc(size_t bytes)
{
    return calloc(1, bytes);
}

void dxgkmem_host_free(void *memory, size_t bytes)
{
    (void)bytes;
    free(memory);
}

void dxgkmem_host_lock_init(struct dxgkmem_lock *lock)
{
    lock->word[0] = 0;
}

void dxgkmem_host_lock_destroy(struct dxgkmem_lock *lock)
{
    if (lock->word[0] != 0)
        dxgkmem_host_panic(__FILE__, __LINE__, "a lock is destroyed that is held");
}

unsigned scheduled_holder(const struct scheduled_point *point)
{
    const struct dxgkmem_lock *lock = (const struct dxgkmem_lock *)point->address;

    return lock->word[0] != 0 ? (unsigned)(lock->word[0] - 1) : SCHEDULED_NOBODY;
}

void dxgkmem_host_lock_acquire(struct dxgkmem_lock *lock, unsigned rank)
{
    held_acquire(&held[scheduled_thread()], lock, rank);
    scheduled_point(SCHEDULED_ACQUIRE, lock, NULL, 0);
    if (lock->word[0] != 0)
        dxgkmem_host_panic(__FILE__, __LINE__, "a lock that is held was taken");
    lock->word[0] = scheduled_thread() + 1u;
}

void dxgkmem_host_lock_release(struct dxgkmem_lock *lock)
{
    held_release(&held[scheduled_thread()], lock);
    lock->word[0] = 0;
    scheduled_point(SCHEDULED_RELEASE, lock, NULL, 0);
}

/* What the simulated machine is told in its stead, so that addresses do not depend on who asks. */
unsigned scheduled_one_shard(void);
unsigned scheduled_one_shard(void)
{
    return 0;
}

/* The threads of a run from 1 on; what goes on before and after it is shard 0. */
unsigned dxgkmem_host_shard(void)
{
    return (scheduled_thread() + 1u) % (SCHEDULED_NOBODY + 1u);
}
